import type { Money, Run, RunEvent } from '@cloutagent/contract';

/** What the status line of a followed run shows. */
export interface Progress {
  readonly task: { readonly id: string; readonly title: string } | null;
  /** Tool that is being called, `server:tool`, or what is waited for. */
  readonly doing: string;
  /** Tokens of the whole run, read and written. */
  readonly tokens: number;
  readonly spent: number;
  readonly held: number;
  readonly limit: number | null;
}

const nano = (money: Money | null): number | null => money?.nanoUsd ?? null;

/** Where following begins; `fromStart`: every call's tokens are still to come as events. */
export const progressOf = (run: Run, fromStart: boolean): Progress => ({
  task: run.tasks.find((task) => task.status === 'running') ?? null,
  doing: '',
  tokens: fromStart ? 0 : tokensOf(run.usage),
  spent: run.money.spent.nanoUsd,
  held: run.money.held.nanoUsd,
  limit: nano(run.money.limit),
});

/** Progress after one more event; figures of a call count once, because every event arrives once. */
export const nextProgress = (progress: Progress, { body }: RunEvent): Progress => {
  switch (body.type) {
    case 'task.started':
      return { ...progress, task: { id: body.taskId, title: body.title }, doing: '' };
    case 'node.started':
      return { ...progress, task: { id: body.node, title: body.title }, doing: '' };
    case 'task.finished':
      return { ...progress, task: null, doing: '' };
    case 'model.started':
      return { ...progress, doing: 'thinking', held: body.reserved.nanoUsd };
    case 'model.finished':
      return { ...progress, doing: '', tokens: progress.tokens + tokensOf(body.usage) };
    case 'model.retry':
      return { ...progress, doing: `retrying: ${body.code}` };
    case 'tool.started':
      return { ...progress, doing: `${body.server}:${body.tool}` };
    case 'tool.finished':
      return { ...progress, doing: '' };
    case 'money':
      return { ...progress, spent: body.spent.nanoUsd, held: body.held.nanoUsd, limit: nano(body.limit) };
    default:
      return progress;
  }
};

const tokensOf = (usage: Run['usage']): number =>
  usage.inputTokens + usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens + usage.outputTokens;
