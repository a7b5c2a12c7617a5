import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { LogEntry } from './request-log.ts';

const DIST = new URL('../dist/index.js', import.meta.url).href;
const BODY = {
  model: 'claude-sonnet-5-5',
  max_tokens: 200,
  stream: true,
  messages: [{ role: 'user', content: 'hello' }],
};
const POST = {
  method: 'POST',
  headers: { 'content-type': 'application/json', 'x-api-key': 'k', 'anthropic-version': '2026-10-21' },
  body: JSON.stringify(BODY),
};

const started: number[] = [];

/** A simulator as a process of its own, from what was built. */
const spawnSimulator = async (
  logFile: string,
  perTokenMs: number,
  wrapper: readonly string[] = [],
): Promise<{ url: string; pid: number; child: ChildProcess }> => {
  const options = JSON.stringify({ port: 0, host: '127.0.0.1', logFile, perTokenMs });
  const script = `import { runSimulator } from '${DIST}'; console.log((await runSimulator(${options})).url, process.pid);`;
  const words = [...wrapper, process.execPath, '--input-type=module', '-e', script];
  const child = spawn(words[0] ?? '', words.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const [url = '', pid = ''] = line.toString().trim().split(' ');
  started.push(Number(pid));
  return { url, pid: Number(pid), child };
};

const inFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'simulator-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
};

afterEach(() => {
  for (const pid of started.splice(0)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It is gone, as it should be.
    }
  }
});

describe('[X7.log] a simulator that is killed', () => {
  it('has a whole line for every answer that it began, and goes on behind them', () =>
    inFolder(async (folder) => {
      const logFile = join(folder, 'requests.jsonl');
      for (let round = 1; round <= 3; round += 1) {
        const { url, child } = await spawnSimulator(logFile, 50);
        const begun = await Promise.all([fetch(`${url}/v1/messages`, POST), fetch(`${url}/v1/messages`, POST)]);
        const reader = begun[0]?.body?.getReader();
        await reader?.read();
        child.kill('SIGKILL');
        await once(child, 'exit');
        const entries = (await readFile(logFile, 'utf8'))
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line) as LogEntry);
        expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: round * 2 }, (_, index) => index + 1));
        const ids = new Set(begun.map((response) => response.headers.get('request-id')));
        expect(new Set(entries.slice(-2).map(({ requestId }) => requestId))).toEqual(ids);
        const isWhole = ({ usage, stopReason }: LogEntry): boolean =>
          (usage?.output_tokens ?? 0) > 20 && stopReason === 'end_turn';
        expect(entries.every(isWhole)).toBe(true);
      }
    }));

  it.skipIf(spawnSync('strace', ['-V']).error !== undefined)('has synced the line before the first byte left', () =>
    inFolder(async (folder) => {
      const trace = join(folder, 'trace');
      const strace = ['strace', '-f', '-y', '-s', '60', '-e', 'trace=fdatasync,fsync,write,writev,sendto', '-o', trace];
      const { url, pid, child } = await spawnSimulator(join(folder, 'requests.jsonl'), 0, strace);
      for (const body of [POST.body, JSON.stringify({ ...BODY, stream: false }), '{']) {
        await (await fetch(`${url}/v1/messages`, { ...POST, body })).text();
      }
      // strace itself lets no signal through while it traces.
      process.kill(pid, 'SIGKILL');
      await once(child, 'exit');
      const calls = (await readFile(trace, 'utf8')).split('\n').flatMap((line) => {
        if (/\b(?:write|writev)\(\d+<[^>]*requests\.jsonl>/u.test(line)) return ['line'];
        // Either the whole call, or its return where another thread ran in between.
        if (/fdatasync\(\d+<[^>]*requests\.jsonl>\)\s+= 0|<\.\.\. fdatasync resumed>\)\s+= 0/u.test(line))
          return ['synced'];
        return /(?:write|writev|sendto)\(\d+<(?:socket|TCP)[^>]*>.*HTTP\/1\.1 [24]00/u.test(line) ? ['answer'] : [];
      });
      expect(calls).toEqual(['line', 'synced', 'answer', 'line', 'synced', 'answer', 'line', 'synced', 'answer']);
    }),
  );
});
