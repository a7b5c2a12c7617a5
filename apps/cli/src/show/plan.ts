import { showUsd, type Money, type Plan } from '@cloutagent/contract';
import { oneLine, plain, type Style } from '../output.ts';
import { table } from './table.ts';

const usd = (money: Money | null): string => (money === null ? 'no limit' : showUsd(money.nanoUsd));

/** The price tag: what each task and the whole will cost, at most and as expected, and how that came about; `name` is what to run. */
export const showPlan = (plan: Plan, name: string, style: Style): string => {
  const right = { align: 'right' as const };
  const rows = plan.tasks.map((task) => [
    task.id,
    oneLine(task.title, 48),
    String(task.checks),
    String(task.expectedCalls),
    usd(task.expected),
    usd(task.ceiling),
  ]);
  const columns = [
    { title: 'TASK', paint: style.bold },
    { title: 'TITLE' },
    { title: 'CHECKS', ...right },
    { title: 'CALLS', ...right },
    { title: 'EXPECTED', ...right },
    { title: 'CEILING', ...right },
  ];
  const { limit, spent, held, free } = plan.budget;
  return [
    `${style.bold(plain(plan.slug))} on ${plain(plan.model)}${plan.simulated ? style.yellow(' (simulated: nothing is billed)') : ''}`,
    '',
    table(columns, [...rows, ['', 'in all', '', '', usd(plan.expected), usd(plan.ceiling)]], style.dim),
    '',
    `Expected ${style.bold(usd(plan.expected))}, at most ${style.bold(usd(plan.ceiling))}: clout run ${plain(name)} stops there unless --budget says otherwise.`,
    ...plan.derivation.map((line) => style.dim(`  ${oneLine(line)}`)),
    style.dim(`  Prices as of ${plain(plan.pricesAsOf)}.`),
    `Project budget: ${usd(limit)}, ${usd(spent)} spent, ${usd(held)} held${free === null ? '' : `, ${usd(free)} free`}.`,
    ...plan.warnings.map((warning) => style.yellow(`Warning: ${oneLine(warning)}`)),
  ].join('\n');
};
