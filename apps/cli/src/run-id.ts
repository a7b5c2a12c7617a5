import { CloutError } from '@cloutagent/contract';
import type { Session } from './session.ts';

/** Runs that a prefix is looked for in: more would only slow a typing aid down. */
const MAX_RUNS = 1_000;
const PAGE = 200;

/** A run's whole id from what a person types: the id, a prefix that is unique (with or without `run_`), or `last`. */
export const resolveRunId = async (session: Pick<Session, 'call'>, text: string): Promise<string> => {
  if (/^run_[0-9a-f]{32}$/u.test(text)) return text;
  if (text === 'last') {
    const page = await session.call('runsList', { query: { limit: 1 } });
    const [run] = page.items;
    if (run === undefined)
      throw new CloutError('RUN_NOT_FOUND', 'There is no run yet', { hint: 'Start one: clout run SLUG' });
    return run.id;
  }
  const prefix = text.startsWith('run_') ? text : `run_${text}`;
  const found: string[] = [];
  for (let offset = 0; offset < MAX_RUNS; offset += PAGE) {
    const page = await session.call('runsList', { query: { limit: PAGE, offset } });
    found.push(...page.items.map((run) => run.id).filter((id) => id.startsWith(prefix)));
    if (offset + page.items.length >= page.total || page.items.length === 0) break;
  }
  const [first] = found;
  if (first === undefined) throw new CloutError('RUN_NOT_FOUND', `No run begins with "${text}"`);
  if (found.length > 1) {
    throw new CloutError('INVALID_INPUT', `${found.length} runs begin with "${text}"`, {
      hint: 'Give more of the id; clout runs list shows them',
      details: { runs: found.slice(0, 10) },
    });
  }
  return first;
};
