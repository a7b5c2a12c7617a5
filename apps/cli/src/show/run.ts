import {
  ElicitationRequest,
  formatUsd,
  showUsd,
  type Approval,
  type Page,
  type Run,
  type RunDetail,
  type RunReason,
  type RunStatus,
} from '@cloutagent/contract';
import { toIso } from '@cloutagent/kit';
import { oneLine, plain, type Style } from '../output.ts';
import { table } from './table.ts';

/** Exit code of a command that followed a run to this state (contract/error.ts). */
export const exitOf = (status: RunStatus): number =>
  status === 'completed' || status === 'running' || status === 'queued' ? 0 : RESTING.has(status) ? 6 : 1;

const RESTING: ReadonlySet<RunStatus> = new Set(['paused', 'interrupted', 'waiting']);

const paintStatus = (status: RunStatus, style: Style): string => {
  if (status === 'completed') return style.green(status);
  if (status === 'failed' || status === 'cancelled') return style.red(status);
  return status === 'running' ? style.bold(status) : style.yellow(status);
};

const doneOf = (run: Run): string => `${run.tasks.filter((task) => task.status === 'done').length}/${run.tasks.length}`;

/** What a run has cost, with the word that no simulated amount may go without. */
const showCost = (run: Run): string => `${showUsd(run.money.spent.nanoUsd)}${run.simulated ? ' simulated' : ''}`;

export const showRuns = (page: Page<Run>, style: Style): string => {
  if (page.items.length === 0) return 'No runs. Start one: clout run SLUG';
  const rows = page.items.map((run) => [
    run.id,
    run.slug,
    run.status,
    doneOf(run),
    showCost(run),
    run.model,
    run.createdAt.slice(0, 19).replace('T', ' '),
  ]);
  const columns = [
    { title: 'RUN', paint: style.bold },
    { title: 'CHANGE OR WORKFLOW' },
    { title: 'STATUS' },
    { title: 'TASKS', align: 'right' as const },
    { title: 'COST', align: 'right' as const },
    { title: 'MODEL' },
    { title: 'STARTED (UTC)' },
  ];
  const more = page.nextPageToken === null ? '' : `\n${page.items.length} of ${page.total}; more with --offset`;
  return table(columns, rows, style.dim) + more;
};

const TASK_MARK = { done: '[x]', failed: '[!]', running: '[>]', waiting: '[?]', skipped: '[-]', open: '[ ]' } as const;

const showReason = (reason: RunReason | null, style: Style): string[] =>
  reason === null
    ? []
    : [style.yellow(oneLine(reason.message)), style.dim(`${oneLine(reason.hint)} (${plain(reason.code)})`)];

/** A run with its tasks, money and steps, and what it asks. */
export const showRun = (detail: RunDetail, approvals: readonly Approval[], style: Style): string => {
  const { run } = detail;
  const tasks = run.tasks.map((task) => {
    const how = task.verification === null ? '' : `, ${task.verification}`;
    return `${TASK_MARK[task.status]} ${oneLine(task.id)} ${oneLine(task.title, 70)} ${style.dim(`${showUsd(task.costNanoUsd)}${how}`)}`;
  });
  const steps = detail.steps.map((step) => [
    step.key,
    step.kind,
    step.name,
    step.isError ? 'failed' : 'ok',
    step.costNanoUsd === 0 ? '' : showUsd(step.costNanoUsd),
    `${step.endedAt - step.startedAt} ms`,
  ]);
  const columns = [
    { title: 'STEP' },
    { title: 'KIND' },
    { title: 'NAME' },
    { title: 'RESULT' },
    { title: 'COST', align: 'right' as const },
    { title: 'TIME', align: 'right' as const },
  ];
  const limit = run.money.limit === null ? 'no limit' : `limit ${showUsd(run.money.limit.nanoUsd)}`;
  return [
    `${style.bold(run.id)}  ${paintStatus(run.status, style)}${run.simulated ? style.yellow('  simulated') : ''}`,
    `${plain(run.slug)}: ${oneLine(run.title)}`,
    `${plain(run.model)}, ${run.counts.modelCalls} model calls, ${run.counts.toolCalls} tool calls, ${showCost(run)} spent, ${showUsd(run.money.held.nanoUsd)} held, ${limit}`,
    ...(run.counts.unknownOutcomes === 0
      ? []
      : [style.yellow(`${run.counts.unknownOutcomes} calls with an unknown outcome are booked at their upper bound`)]),
    ...showReason(run.reason, style),
    '',
    ...tasks,
    ...detail.waits.map((wait) => style.yellow(showWait(wait))),
    ...approvals.flatMap(showElicitation).map((line) => style.yellow(line)),
    ...(steps.length === 0 ? [] : ['', table(columns, steps, style.dim)]),
    // What a run waits for stands above.
    ...(run.status === 'waiting' ? [] : nextSteps(run)),
  ].join('\n');
};

const showWait = ({ key, topic, until }: RunDetail['waits'][number]): string => {
  const approval = topic?.startsWith('approval:') === true ? topic.slice('approval:'.length) : undefined;
  const time = until === null ? '' : ` until ${toIso(until)}`;
  return approval === undefined
    ? `waits${time} at ${oneLine(key)}`
    : `waits${time} for approval: clout runs approve ${plain(approval)} (or deny)`;
};

/** For a shell; what a server wrote must not become a command of whoever copies it. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** What a server asks in the middle of a call: the run does not wait for it alone. */
const showElicitation = ({ id, kind, title, request, expiresAt }: Approval): string[] => {
  if (kind !== 'elicitation') return [];
  const { url, text } = ElicitationRequest.parse(request);
  const edit = text === undefined ? '' : ` --edit ${quoted(oneLine(JSON.stringify(JSON.parse(text))))}`;
  return [
    `${oneLine(title)}${expiresAt === null ? '' : ` (until ${expiresAt})`}`,
    ...(url === undefined ? [] : [`  open it yourself, if you trust it: ${oneLine(url)}`]),
    `  clout runs approve ${plain(id)}${edit} (or deny)`,
  ];
};

/** How following a run ended, and what one can do now. */
export const showEnd = (run: Run, style: Style): string =>
  [
    `${paintStatus(run.status, style)} ${run.id}: ${doneOf(run)} ${run.kind === 'change' ? 'tasks' : 'nodes'}, ${showCost(run)}, ${run.counts.modelCalls} model calls`,
    ...showReason(run.reason, style),
    ...nextSteps(run),
  ].join('\n');

const nextSteps = (run: Run): string[] => {
  if (run.kind === 'workflow') return nextOfWorkflow(run);
  if (run.status === 'completed') return [`Next: clout change archive ${plain(run.slug)}`];
  return nextOfAny(run) ?? [`Try again with the open tasks: clout run ${plain(run.slug)}`];
};

const nextOfWorkflow = (run: Run): string[] => {
  if (run.status === 'completed') return [];
  return nextOfAny(run) ?? [`Go on from one of its steps: clout runs fork ${run.id} --from STEP`];
};

const nextOfAny = (run: Run): string[] | undefined => {
  if (run.status === 'running' || run.status === 'queued') return [`Watch it: clout runs watch ${run.id}`];
  if (run.status === 'interrupted') return [`Go on where it stopped: clout runs resume ${run.id}`];
  if (run.status === 'waiting') return [`It waits; what for: clout runs show ${run.id}`];
  if (run.status !== 'paused') return undefined;
  const budget = enoughFor(run);
  if (run.reason?.code === 'EFFECT_UNKNOWN') return [`Resume: clout runs resume ${run.id} --unknown repeat (or skip)`];
  return [`Resume: clout runs resume ${run.id}${budget === undefined ? '' : ` --budget ${budget}`}`];
};

/** The least limit that lets a run go on which its own budget stopped; undefined where another budget did. */
const enoughFor = (run: Run): string | undefined => {
  const { scope, spentNanoUsd, heldNanoUsd, neededNanoUsd } = run.reason?.details ?? {};
  if (run.reason?.code !== 'BUDGET_EXHAUSTED' || scope !== 'run') return undefined;
  if (typeof spentNanoUsd !== 'number' || typeof heldNanoUsd !== 'number' || typeof neededNanoUsd !== 'number')
    return undefined;
  // To the next hundredth of a cent, because a person types it.
  const step = 100_000;
  return formatUsd(Math.ceil((spentNanoUsd + heldNanoUsd + neededNanoUsd) / step) * step).replace(
    /(\.\d{2,}?)0+$/u,
    '$1',
  );
};
