import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, systemRandom } from '@cloutagent/kit';
import { openChange, openProject, validateChange } from '@cloutagent/openspec';
import { describe, expect, it } from 'vitest';
import { auth, spawned } from './process-harness.ts';

const NOTHING = { rationale: undefined, owner: undefined, ttl: undefined, template: undefined };
const RUNS = 8;

/** Every file below a folder, by its path. */
const filesIn = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

describe('[T25.files] a server that is ended in the middle of its work', () => {
  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'by %s leaves every change whole or absent, and the next one finds nothing in its way',
    async (signal) => {
      const root = await mkdtemp(join(tmpdir(), 'task-mcp-kill-'));
      const opened = new Set<string>();
      const closed = new Set<string>();
      let asked = 0;
      for (let run = 0; run < RUNS; run += 1) {
        await using server = await spawned({ RATE_LIMIT: '0', AUDIT_LOG: 'off' }, { root });
        const over = new AbortController();
        const call = async (tool: string, input: object): Promise<boolean> => {
          const body = JSON.stringify({ tool, input });
          const headers = { ...auth, 'content-type': 'application/json' };
          const response = await fetch(`${server.url}/mcp`, { method: 'POST', headers, body });
          return response.ok && (await response.text()).includes('"type":"end"');
        };
        const client = async (): Promise<void> => {
          while (!over.signal.aborted) {
            const number = (asked += 1);
            const slug = `change-${number}`;
            try {
              if (await call('change.open', { title: 'T', slug })) opened.add(slug);
              if (number % 3 === 0 && (await call('change.archive', { slug }))) closed.add(slug);
            } catch {
              // The server went away: what it did not confirm may be there or not.
              return;
            }
          }
        };
        const clients = Array.from({ length: 4 }, client);
        // By what is confirmed, not by the clock: a busy machine may not have done anything yet.
        const enough = opened.size + closed.size + 4 + systemRandom() * 30;
        while (opened.size + closed.size < enough) await systemClock.sleep(5);
        server.child.kill(signal);
        if (signal === 'SIGTERM') over.abort();
        await Promise.all(clients);
        const [code] = await server.exited;
        expect(code).toBe(signal === 'SIGTERM' ? 0 : null);
      }
      const project = await openProject(root, { clock: systemClock, caller: 'ann' });
      // Whatever lay in the way is taken up by the next operation.
      await openChange(project, { ...NOTHING, title: 'After', slug: 'after' });
      const changes = join(root, 'openspec/changes');
      const active = (await readdir(changes)).filter((name) => name !== 'archive');
      const archived = await readdir(join(changes, 'archive'));
      const isArchived = (slug: string): boolean => archived.some((name) => name.endsWith(`-${slug}`));
      for (const slug of opened) expect([slug, active.includes(slug) || isArchived(slug)]).toEqual([slug, true]);
      for (const slug of closed) expect([slug, active.includes(slug), isArchived(slug)]).toEqual([slug, false, true]);
      for (const slug of active) expect([slug, (await validateChange(project, slug)).valid]).toEqual([slug, true]);
      for (const name of archived) expect(await readdir(join(changes, 'archive', name))).toContain('receipt.json');
      expect(closed.size).toBeGreaterThan(0);
      const files = await filesIn(join(root, 'openspec'));
      for (const file of files) expect([file, (await readFile(file)).length > 0]).toEqual([file, true]);
      await rm(root, { recursive: true, maxRetries: 10 });
    },
    120_000,
  );
});
