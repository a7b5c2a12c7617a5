import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
// oxlint-disable-next-line no-restricted-imports -- a database of a version that does not exist yet is made by hand
import { openSqlite } from '../packages/store/src/libsql.ts';
import { Person } from './support/chaos/person.ts';
import { randomWorkflow } from './support/chaos/graph.ts';
import { openWorld, type World } from './support/chaos/world.ts';
import { auditDetail } from './support/ledger.ts';
import { cloutJson, runProgram } from './support/program.ts';
import { openTempProject, type TempProject } from './support/project.ts';
import { seeded } from './support/random.ts';
import { readRequestLog } from './support/request-log.ts';

const database = (project: TempProject): string => join(project.root, '.cloutagent/store.db');

const finish = async (world: World, person: Person, runs: readonly string[]): Promise<void> => {
  while (!(await person.look(runs))) await new Promise((resolve) => setTimeout(resolve, 100));
  const { checks } = await world.client.call('doctor', {});
  expect(checks.find(({ name }) => name === 'ledger')).toMatchObject({ ok: true });
};

/** As the words of `clout backup` say it: put what is there aside, and copy the backup there. */
const putBack = (project: TempProject, copy: string): void => {
  const folder = join(project.root, '.cloutagent');
  const aside = join(project.root, 'aside');
  mkdirSync(aside);
  for (const name of readdirSync(folder).filter((one) => one.startsWith('store.db')))
    renameSync(join(folder, name), join(aside, name));
  copyFileSync(copy, database(project));
};

describe('[D14] the data', () => {
  it('is backed up while runs are under way; put back after a crash, every run of that moment goes on to its end and the ledger holds', async () => {
    const random = seeded(7);
    await using world = await openWorld();
    const { project, client } = world;
    const start = async (): Promise<string> => {
      const body = { workflow: randomWorkflow(random), input: 'Begin.', budget: '2' };
      return (await client.call('workflowRun', { body })).id;
    };
    const before = [await start(), await start(), await start()];
    const person = new Person(client, random);
    await person.look(before);
    const copy = join(project.root, 'copy.db');
    expect(await cloutJson(['backup', 'copy.db'], project)).toEqual({ file: copy, bytes: readFileSync(copy).length });
    const again = await runProgram('clout', ['backup', 'copy.db', '--json'], project);
    expect([again.code, again.stdout + again.stderr]).toEqual([2, expect.stringContaining('INVALID_INPUT')]);

    // What comes after the backup is not in it; the runs were not held up by it.
    const after = await start();
    await finish(world, person, [...before, after]);
    await world.killServer(() => putBack(project, copy));

    const { items } = await client.call('runsList', { query: {} });
    expect(items.map(({ id }) => id).toSorted()).toEqual(before.toSorted());
    await finish(world, new Person(client, random), before);
    const requests = readRequestLog(project);
    for (const id of before) {
      const detail = await client.call('runShow', { params: { id } });
      const { ledger, run } = detail;
      expect(['completed', 'failed']).toContain(run.status);
      expect(run.money.spent.nanoUsd).toBe(ledger.reduce((sum, { amount }) => sum + amount.nanoUsd, 0));
      // A call of after the backup is made again; both were billed, under one key, and the copy knows one of them.
      expect(auditDetail(detail, requests).repeated).toEqual([]);
    }
  }, 240_000);

  it('of a newer version is refused by an older program in plain words, by every command, and not a byte of it changes', async () => {
    using project = openTempProject();
    writeFileSync(join(project.root, 'one.yaml'), 'nodes: [{ id: a, type: template, data: { template: said } }]\n');
    expect((await runProgram('clout', ['run', 'one.yaml', '--simulate'], project)).code).toBe(0);
    const before = await cloutJson(['runs', 'show', 'last'], project);
    const connection = openSqlite(database(project), { busyTimeoutMs: 1_000 });
    const [newest] = connection.run('SELECT max(version) AS version FROM schema_version').rows;
    const version = Number(newest?.['version']) + 1;
    connection.run('INSERT INTO schema_version (version) VALUES (?)', [version]);
    // All of it into the one file, so that its bytes say everything.
    connection.run('PRAGMA wal_checkpoint(TRUNCATE)');
    connection.close();
    const hash = (): string =>
      createHash('sha256')
        .update(readFileSync(database(project)))
        .digest('hex');
    const untouched = hash();

    for (const args of [['runs', 'list'], ['run', 'one.yaml', '--simulate'], ['up', '--port', '0'], ['doctor']]) {
      const { code, stdout, stderr } = await runProgram('clout', args, project);
      expect([args[0], code, stdout]).toEqual([args[0], 1, '']);
      expect(stderr).toContain(`The database has version ${version}, this program knows up to ${version - 1}`);
      expect(stderr).toContain('update CloutAgent');
    }
    const json = await runProgram('clout', ['runs', 'list', '--json'], project);
    expect(json.stdout + json.stderr).toContain('"STORAGE_NEWER"');
    expect(hash()).toBe(untouched);
    // It can still be carried away for the program that knows it.
    expect((await runProgram('clout', ['backup', 'newer.db'], project)).code).toBe(0);
    expect(hash()).toBe(untouched);

    const back = openSqlite(database(project), { busyTimeoutMs: 1_000 });
    back.run('DELETE FROM schema_version WHERE version = ?', [version]);
    back.close();
    expect(await cloutJson(['runs', 'show', 'last'], project)).toEqual(before);
  }, 120_000);
});
