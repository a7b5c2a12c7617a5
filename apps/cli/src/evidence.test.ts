import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

const BIN = fileURLToPath(new URL('../bin/clout.mjs', import.meta.url));

// Each step starts a whole program; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let root: string;

const clout = (...argv: readonly string[]): Promise<{ code: number | null; stdout: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, ...argv, '--json'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'], HOME: root },
    });
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout }));
  });

const write = async (file: string, text: string): Promise<void> => {
  await mkdir(path.dirname(path.join(root, file)), { recursive: true });
  await writeFile(path.join(root, file), text);
};

const DELTA =
  '## ADDED Requirements\n\n### Requirement: Login\nThe system SHALL let users in.\n\n#### Scenario: S\n- **WHEN** x\n- **THEN** y\n';

/** What an archive answers, and whether the change is still there. */
const archive = async (...options: readonly string[]): Promise<readonly [answer: unknown, isOpen: boolean]> => {
  const { stdout } = await clout('change', 'archive', 'by-hand', ...options);
  const open = await readdir(path.join(root, 'openspec/changes'));
  return [JSON.parse(stdout), open.includes('by-hand')];
};

const WORDS = '1 of 1 done task(s) were ticked by hand, so nothing proves them: 1.1';
const WARNED = [{ warnings: expect.arrayContaining([WORDS]) as unknown }, false];
const REFUSED = [
  { error: { code: 'CHANGE_TASKS_INCOMPLETE', message: WORDS, details: { slug: 'by-hand', unproven: ['1.1'] } } },
  true,
];

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'clout-evidence-'));
  await write('openspec/changes/by-hand/tasks.md', '- [x] 1.1 Done by hand\n');
  await write('openspec/changes/by-hand/specs/auth/spec.md', DELTA);
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('[T8.evidence] a change whose task was ticked by hand', () => {
  test('is archived with a warning where it was never planned or run here', async () => {
    expect(await archive()).toMatchObject(WARNED);
  });

  test('is refused once it was planned here, and archived with a warning where that is accepted', async () => {
    expect((await clout('plan', 'by-hand')).code).toBe(0);
    expect(await archive()).toMatchObject(REFUSED);
    expect(await archive('--allow-incomplete')).toMatchObject(WARNED);
  });

  test.each([
    ['required', false, REFUSED],
    ['warn', true, WARNED],
  ] as const)('the policy %s decides, planned or not', async (evidence, isPlanned, expected) => {
    await write('.cloutagent/config.yaml', `archive:\n  evidence: ${evidence}\n`);
    if (isPlanned) await clout('plan', 'by-hand');
    expect(await archive()).toMatchObject(expected);
  });

  test('off says nothing, though it was planned here', async () => {
    await write('.cloutagent/config.yaml', 'archive:\n  evidence: off\n');
    await clout('plan', 'by-hand');
    const [answer, isOpen] = await archive();
    expect(isOpen).toBe(false);
    expect(JSON.stringify(answer)).not.toContain('by hand');
  });
});
