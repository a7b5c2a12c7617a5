import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { mayColour } from './output.ts';

const CLOUT = fileURLToPath(new URL('../bin/clout.mjs', import.meta.url));
const ESCAPE = '\u001b[';

it('colours a terminal, unless NO_COLOR says otherwise', () => {
  expect([mayColour(true, {}), mayColour(true, { NO_COLOR: '' }), mayColour(true, { NO_COLOR: '1' })]).toEqual([
    true,
    true,
    false,
  ]);
  expect(mayColour(false, {})).toBe(false);
});

/** What a failing command shows on a real terminal, which `script` of util-linux makes. */
const onTerminal = async (environment: Record<string, string>): Promise<string> => {
  const command = `'${process.execPath}' '${CLOUT}' runs show run_00000000000070008000000000000000 --cwd /`;
  const running = promisify(execFile)('script', ['-qc', command, '/dev/null'], {
    env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm', ...environment },
  });
  running.child.stdin?.end();
  return (await running).stdout;
};

it.skipIf(process.platform !== 'linux')('is seen on a terminal', async () => {
  const coloured = await onTerminal({});
  expect(coloured).toContain(`${ESCAPE}31mError`);
  const plain = await onTerminal({ NO_COLOR: '1' });
  expect(plain).toContain('Error');
  expect(plain).not.toContain(ESCAPE);
});
