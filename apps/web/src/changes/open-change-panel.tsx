import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/client.ts';
import { useAction } from '../api/use-action.ts';
import { Button } from '../ui/button.tsx';
import { Choice, Field } from '../ui/field.tsx';
import { Panel } from '../ui/panel.tsx';
import { ProblemBox } from '../ui/problem-box.tsx';
import { slugProblem, suggestSlug } from './slug.ts';

type TemplateName = 'feature' | 'bugfix' | 'chore';

const TEMPLATES = [
  { value: 'feature', label: 'Feature', note: 'New behaviour, with a delta for its capability' },
  { value: 'bugfix', label: 'Bug fix', note: 'Behaviour that was promised and does not hold' },
  { value: 'chore', label: 'Chore', note: 'Work that changes no behaviour' },
] as const;

/** Opens a change from a template; goes to it when it stands. */
export const OpenChangePanel = ({ onClose }: { readonly onClose: () => void }) => {
  const navigate = useNavigate();
  const [title, setTitle] = useState('');
  const [ownSlug, setOwnSlug] = useState<string>();
  const [template, setTemplate] = useState<TemplateName>('feature');
  const [touched, setTouched] = useState(false);
  const slug = ownSlug ?? suggestSlug(title);
  const problem = touched || ownSlug !== undefined ? slugProblem(slug) : undefined;
  const open = useAction(
    () => api.call('changeOpen', { body: { title: title.trim(), slug, template } }),
    () => void navigate({ to: '/changes/$slug', params: { slug } }),
  );
  const submit = () => {
    setTouched(true);
    if (title.trim() !== '' && slugProblem(slug) === undefined) open.run(undefined);
  };
  return (
    <Panel
      title="Open a change"
      onClose={onClose}
      footer={
        <>
          <Button kind="quiet" onClick={onClose}>
            Close
          </Button>
          <Button kind="primary" busy={open.busy} onClick={submit}>
            Open change
          </Button>
        </>
      }
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Field
          label="Title"
          value={title}
          maxLength={200}
          placeholder="Let users export their data"
          onChange={(event) => setTitle(event.target.value)}
          problem={touched && title.trim() === '' ? 'A change needs a title' : undefined}
          autoFocusInPanel
        />
        <Field
          label="Slug"
          value={slug}
          className="font-mono"
          spellCheck={false}
          autoCapitalize="none"
          onChange={(event) => setOwnSlug(event.target.value === '' ? undefined : event.target.value)}
          hint={slug === '' ? 'Made from the title; names the folder' : `openspec/changes/${slug}/`}
          problem={problem}
        />
        <Choice legend="Template" value={template} onChange={setTemplate} options={TEMPLATES} />
        {open.error === null ? null : <ProblemBox error={open.error} />}
        {/* Enter in a field submits, which needs a submit button inside the form. */}
        <button type="submit" className="sr-only" tabIndex={-1} aria-hidden>
          Open change
        </button>
      </form>
    </Panel>
  );
};
