import { CloutError, Template } from '@cloutagent/contract';
import { bugfix } from './bugfix.ts';
import { chore } from './chore.ts';
import { feature } from './feature.ts';
import type { Scaffold, TemplateInput } from './text.ts';

const TEMPLATES: Readonly<Record<Template, (input: TemplateInput) => Scaffold>> = { feature, bugfix, chore };

/** @throws TEMPLATE_NOT_FOUND */
export const templateNamed = (name: string | undefined): Template => {
  const template = Template.safeParse(name ?? 'feature');
  if (template.success) return template.data;
  throw new CloutError('TEMPLATE_NOT_FOUND', `There is no template '${name}'`, {
    details: { template: name, available: Template.options },
  });
};

export const fillTemplate = (template: Template, input: TemplateInput): Scaffold => TEMPLATES[template](input);
