import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { systemClock } from '@cloutagent/kit';
import { openStore, type Store } from '../store.ts';
import { levelsOf, newRun, PROJECT } from './support.ts';

const COMMITTER = fileURLToPath(new URL('../fixtures/committer.mjs', import.meta.url));
const RUNS = Array.from({ length: 8 }, (_, n) => `run_${n}`);

/** Lets a process commit, kills it after `lines` confirmations, and gives all that it confirmed. */
const commitUntilKilled = async (dir: string, turn: number, lines: number): Promise<readonly string[]> => {
  const child = spawn(process.execPath, [COMMITTER, dir, String(turn)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const confirmed: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    confirmed.push(line);
    if (confirmed.length === lines) child.kill('SIGKILL');
  }
  await closed;
  return confirmed;
};

/** What the database holds that nobody confirmed, lacks that somebody did, or holds by half; empty where all is well. */
const compare = async (store: Store, confirmed: ReadonlySet<string>): Promise<readonly string[]> => {
  const problems: string[] = [...(await store.checkInvariants())];
  const stored = new Set<string>();
  let unconfirmed = 0;
  for (const id of RUNS) {
    const { steps, ledger, lastSeq } = await store.run(id);
    const settled = ledger.filter((row) => row.outcome === 'known').map((row) => row.id);
    // Step and settlement come in one unit, with two events and that of the money; a reservation comes with one.
    if (
      settled.toSorted().join() !==
      steps
        .map((step) => step.key)
        .toSorted()
        .join()
    )
      problems.push(`${id} is torn`);
    if (lastSeq !== ledger.length + 3 * settled.length) problems.push(`${id} has ${lastSeq} events`);
    for (const row of ledger) stored.add(`reserved ${row.id}`);
    for (const name of settled) stored.add(`settled ${name}`);
  }
  for (const line of stored) if (!confirmed.has(line)) unconfirmed += 1;
  for (const line of confirmed) if (!stored.has(line)) problems.push(`lost: ${line}`);
  problems.push(...(unconfirmed > 0 ? [`unconfirmed: ${unconfirmed}`] : []));
  return problems;
};

/**
 * Kills a committing process again and again on one database. Gives every problem, where units that were in flight at a
 * kill (one per run) may be stored without having been confirmed.
 */
export const killAgainAndAgain = async (dir: string, kills: number): Promise<readonly string[]> => {
  const before = await openStore({ dir, clock: systemClock });
  for (const id of RUNS) {
    await before.start(newRun(id), [
      { scope: 'run', id, limitNanoUsd: null },
      { ...PROJECT, limitNanoUsd: 1_000_000 },
    ]);
  }
  await before.close();
  const confirmed = new Set<string>();
  const problems: string[] = [];
  for (let turn = 0; turn < kills; turn += 1) {
    for (const line of await commitUntilKilled(dir, turn, 1 + ((turn * 37) % 150))) confirmed.add(line);
    const store = await openStore({ dir, clock: systemClock });
    const allowed = `unconfirmed: `;
    for (const problem of await compare(store, confirmed)) {
      const inFlight = problem.startsWith(allowed) ? Number(problem.slice(allowed.length)) : Number.POSITIVE_INFINITY;
      if (inFlight > RUNS.length * (turn + 1)) problems.push(`after kill ${turn}: ${problem}`);
    }
    for (const id of RUNS) await store.claim(id);
    const held = (await store.budgets(RUNS.flatMap(levelsOf))).filter((budget) => budget.heldNanoUsd !== 0);
    if (held.length > 0) problems.push(`after kill ${turn}: money is held by nobody`);
    await store.close();
  }
  return problems;
};
