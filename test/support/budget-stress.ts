import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Usage } from '@cloutagent/contract';
import { systemClock } from '@cloutagent/kit';
import { openStore } from '@cloutagent/store';
// oxlint-disable-next-line no-restricted-imports -- what the database saw has to be asked behind the store's back
import { openSqlite, type Connection } from '../../packages/store/src/libsql.ts';

const AGENTS = fileURLToPath(new URL('budget-agents.mjs', import.meta.url));
const PROJECT = { scope: 'project', id: 'default' } as const;

/** What is left after agents, faults and kills. */
export interface StressResult {
  /** Rows that were ever above their limit, committed; counted by the database itself at every change. */
  readonly over: number;
  readonly problems: readonly string[];
  readonly spentNanoUsd: number;
  readonly heldNanoUsd: number;
  readonly limitNanoUsd: number;
  /** Percents of the project's alerts, as given. */
  readonly alerts: readonly number[];
  readonly ledger: Readonly<Record<'known' | 'unknown' | 'released' | 'held', number>>;
  /** Known rows whose amount is not what the list makes of the bill, and unknown ones below their bill. */
  readonly wrong: readonly string[];
  readonly statuses: Readonly<Record<string, number>>;
}

/** Resolves when this many calls have a known amount, as the database has it, or when the signal aborts. */
const settled = async (connection: Connection, calls: number, signal: AbortSignal): Promise<void> => {
  const known = (): number =>
    Number(connection.run("SELECT count(*) AS n FROM settlement WHERE outcome = 'known'").rows[0]?.['n']);
  const enough = known() + calls;
  while (!signal.aborted && known() < enough) await sleep(10);
};

/** Runs the agents, until nothing more can be done, or until their process is killed after so many settled calls. */
const runAgents = async (
  dir: string,
  agents: number,
  seed: number,
  kill?: { at: number; connection: Connection },
): Promise<void> => {
  const child = spawn(process.execPath, [AGENTS, dir, String(agents), String(seed)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  if (kill === undefined) {
    await closed;
    if (!said.includes('done')) throw new Error('the agents ended early');
    return;
  }
  const ended = new AbortController();
  void closed.then(() => ended.abort());
  await settled(kill.connection, kill.at, ended.signal);
  child.kill('SIGKILL');
  await closed;
};

/** claude-sonnet-5-5 by the published list: $2 and $10 per million tokens. */
const billOf = (usage: Usage): number => usage.inputTokens * 2000 + usage.outputTokens * 10_000;

const billsOf = (dir: string): ReadonlyMap<string, number> => {
  const file = path.join(dir, 'bills.jsonl');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  return new Map(
    lines.map((line) => {
      // Written by budget-agents.mjs.
      const { key, usage } = JSON.parse(line) as { key: string; usage: Usage };
      return [key, billOf(usage)];
    }),
  );
};

/** Lets agents spend on a budget of one dollar, kills their process again and again, and says what the database holds. */
export const stressBudget = async (agents: number, kills: number): Promise<StressResult> => {
  const dir = await mkdtemp(path.join(tmpdir(), 'budget-'));
  try {
    const before = await openStore({ dir, clock: systemClock });
    await before.setLimit({ level: PROJECT, period: 'lifetime', limitNanoUsd: 1_000_000_000, by: 'test' });
    await before.setLimit({ level: PROJECT, period: 'day', limitNanoUsd: 1_000_000_000, by: 'test', thresholds: [] });
    await before.close();
    const connection = openSqlite(path.join(dir, 'store.db'), { busyTimeoutMs: 5000 });
    connection.exec('CREATE TABLE seen_over (id TEXT)');
    connection.exec(`CREATE TRIGGER seen_over AFTER UPDATE ON budget
      WHEN NEW.limit_nano IS NOT NULL AND NEW.spent_nano + NEW.held_nano > NEW.limit_nano
      BEGIN INSERT INTO seen_over VALUES (NEW.scope || ' ' || NEW.id || ' ' || NEW.slot); END`);
    // By what is settled, not by the clock: whatever the machine is busy with, there is money in every state at a kill.
    for (let turn = 0; turn < kills; turn += 1)
      await runAgents(dir, agents, turn, { at: 80 + ((turn * 37) % 100), connection });
    connection.close();
    await runAgents(dir, agents, kills);
    return await examine(dir, agents);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
};

const examine = async (dir: string, agents: number): Promise<StressResult> => {
  const bills = billsOf(dir);
  const store = await openStore({ dir, clock: systemClock });
  const ledger = { known: 0, unknown: 0, released: 0, held: 0 };
  const statuses: Record<string, number> = {};
  const wrong: string[] = [];
  for (let n = 0; n < agents; n += 1) {
    const id = `run_${n}`;
    const { run, ledger: rows } = await store.run(id);
    statuses[run.status] = (statuses[run.status] ?? 0) + 1;
    for (const row of rows) {
      ledger[row.outcome] += 1;
      const name = `${id}:${row.stepKey}#${row.attempt}`;
      const bill = bills.get(name) ?? 0;
      const amount = row.amount.nanoUsd;
      if (row.outcome === 'known' ? amount !== bill : amount < bill || amount > row.reserved.nanoUsd)
        wrong.push(`${name} is ${row.outcome} with ${amount}, billed ${bill}, reserved ${row.reserved.nanoUsd}`);
    }
  }
  const [budget] = await store.budgets([PROJECT]);
  const problems = await store.checkInvariants();
  const alerts = (await store.alerts(0)).filter(({ scope, slot }) => scope === 'project' && slot === '');
  await store.close();
  const connection = openSqlite(path.join(dir, 'store.db'), { busyTimeoutMs: 5000 });
  const over = connection.run('SELECT count(*) AS n FROM seen_over').rows[0]?.['n'];
  connection.close();
  return {
    over: Number(over),
    problems,
    spentNanoUsd: budget?.spentNanoUsd ?? -1,
    heldNanoUsd: budget?.heldNanoUsd ?? -1,
    limitNanoUsd: budget?.limitNanoUsd ?? -1,
    alerts: alerts.map(({ percent }) => percent),
    ledger,
    wrong,
    statuses,
  };
};
