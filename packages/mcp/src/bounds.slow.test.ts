import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

/** In a process of its own: this one's memory and files are the tests'. */
const run = async (command: string, args: readonly string[]): Promise<Record<string, unknown>> => {
  const { stdout } = await promisify(execFile)(command, [...args], { timeout: 60_000 });
  return JSON.parse(stdout) as Record<string, unknown>;
};
/** Of a server in this mode, more than one that behaves takes in the same time. */
const cost = async (mode: string, seconds: number) => {
  const of = (how: string) => run(process.execPath, [fixture('memory-parent.mjs'), how, String(seconds)]);
  const [good, seen] = [await of('ok'), await of(mode)];
  const moreMb = Number(seen['peakMb']) - Number(good['peakMb']);
  console.log({ ...seen, moreMb });
  return { ...seen, moreMb };
};

describe('[E5.bounds] what a server can cost us', () => {
  test('[E8] a flood on stderr takes 5 MB at most and no call of another server, and its own answers come', async () => {
    const seen = await cost('flood', 8);
    expect(seen).toMatchObject({ end: 'alive' });
    expect(seen.moreMb).toBeLessThanOrEqual(5);
  });

  test('[E6] a line without end takes four times its bound at most, and ends its server', async () => {
    const seen = await cost('endless', 3);
    expect(seen).toMatchObject({ end: expect.stringContaining('longer than 4 MiB') as string });
    expect(seen.moreMb).toBeLessThanOrEqual(16);
  });

  test.each([0, 4])('[E5] with %i files left no server is started, and everything else goes on', async (spare) => {
    const command = `ulimit -n 256; exec "${process.execPath}" "${fixture('files-parent.mjs')}" ${spare}`;
    expect(await run('/bin/sh', ['-c', command])).toMatchObject({
      code: 'MCP_CONNECTION_FAILED',
      message: expect.stringMatching(/"another" could not be started: .*(?:too many|EMFILE)/iu) as string,
      meanwhile: 'fine',
      afterwards: 'fine',
    });
  });
});
