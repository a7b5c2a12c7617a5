import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { leftovers } from '../fixtures/before.ts';
import { fakeTime } from '../fixtures/fake-time.ts';
import { scratch } from '../fixtures/scratch.ts';
import { openChange } from './open.ts';

const KEEPER = fileURLToPath(new URL('../fixtures/keeper.mjs', import.meta.url));
const NONE = { rationale: undefined, owner: undefined, ttl: undefined, template: undefined };
const SECONDS = 90;
const HOUR = 3600;
/** Seconds off the true time: to and fro around the end of the lease, over days, and over years. */
const JUMPS = [0, 599, 601, -HOUR, HOUR, 25 * HOUR, -25 * HOUR, 400 * 24 * HOUR, -400 * 24 * HOUR, 3650 * 24 * HOUR, 0];

describe.runIf(process.platform === 'linux')(
  '[F18] [T7.expiry] the clock of the machine jumps',
  { timeout: 600_000 },
  () => {
    it(`${SECONDS} s long, under processes that look after a folder: no work is archived, deleted or changed`, async () => {
      await using folder = await scratch();
      await using outside = await scratch({ one: '+0\n', other: '+0\n' });
      const project = await folder.open({ caller: 'ada' });
      await openChange(project, { ...NONE, slug: 'held-one', title: 'Held', owner: 'team', ttl: 600 });
      await openChange(project, { ...NONE, slug: 'free-one', title: 'Free' });
      const before = await folder.tree();
      // One machine's clock jumps for the first process, another's for the second; the third has a true one.
      const clocks = ['one', 'other'].map((name) => path.join(outside.root, name));
      const keepers = [...clocks.map(fakeTime), {}].map((env) => {
        const child = spawn(process.execPath, [KEEPER, folder.root, String(SECONDS * 1000)], {
          stdio: ['ignore', 'pipe', 'inherit'],
          env: { ...process.env, ...env },
        });
        return text(child.stdout);
      });
      const end = performance.now() + SECONDS * 1000;
      for (let count = 0; performance.now() < end; count += 1) {
        for (const [index, file] of clocks.entries()) {
          const offset = JUMPS[(count * (index + 1)) % JUMPS.length] ?? 0;
          await writeFile(file, `${offset < 0 ? '' : '+'}${offset}\n`);
        }
        await sleep(700);
        expect(await folder.tree()).toEqual(before);
      }
      // Written by keeper.mjs.
      const told = (await Promise.all(keepers)).map(
        (line) => JSON.parse(line) as { ends: Record<string, number>; days: string[] },
      );
      expect(await folder.tree()).toEqual(before);
      expect(await leftovers(folder)).toEqual([]);
      for (const { ends } of told) {
        expect(Object.keys(ends).filter((key) => !KNOWN.has(key))).toEqual([]);
        expect(ends['tick no task: NOT_FOUND']).toBeGreaterThan(50);
      }
      // The clocks really jumped over the end of the lease, and over days.
      for (const { ends, days } of told.slice(0, 2)) {
        expect(ends['open: CHANGE_LOCKED']).toBeGreaterThan(5);
        expect(ends['open: CHANGE_ALREADY_EXISTS']).toBeGreaterThan(5);
        expect(days.length).toBeGreaterThan(4);
      }
    });
  },
);

/** What a look or an attempt may come to, whatever the clock says. */
const KNOWN = new Set([
  'list: free-one draft 0,held-one draft 0',
  'read: Held',
  'tick no task: NOT_FOUND',
  'open: CHANGE_LOCKED',
  'open: CHANGE_ALREADY_EXISTS',
]);
