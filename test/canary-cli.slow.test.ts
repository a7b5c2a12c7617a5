import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { startSimulator, type Rule } from '@cloutagent/simulator';
import { describe, expect, it } from 'vitest';
import { runProgram, startProgram } from './support/program.ts';
import { openTempProject } from './support/project.ts';

const LEAKING = path.join(import.meta.dirname, 'support', 'leaking-server.mjs');
const KINDS = ['text', 'structured', 'error', 'refuse', 'spill', 'link', 'key'];

/** A secret for each place where one can be; their common part is what is looked for. */
const MARK = 'canary7f3a9';
const canary = (place: string): string => `sk-${MARK}-${place}`;

/** A model that calls every tool, one a turn. */
const RULES: readonly Rule[] = [
  ...KINDS.map((kind, index): Rule => ({
    when: { lastMessage: { regex: '.' }, tools: [`mcp__leaking__${kind}`], turn: index + 1 },
    answer: { text: `Turn ${index}`, toolCalls: [{ name: `mcp__leaking__${kind}`, input: {} }] },
  })),
  { when: {}, answer: { text: 'Done.' } },
];

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));

describe('[E15] [E16] secrets of the command line', () => {
  it('planted wherever one can be, are in nothing that it says or keeps', async () => {
    using project = openTempProject();
    const outside = path.join(path.dirname(project.root), 'secrets');
    mkdirSync(outside);
    writeFileSync(path.join(outside, 'one'), canary('file'));
    const simulator = await startSimulator({
      port: 0,
      host: '127.0.0.1',
      scenario: { format: 1, name: 'canary', delays: { firstTokenMs: 0, perTokenMs: 0 }, rules: RULES },
    });
    const env = {
      ANTHROPIC_API_URL: simulator.url,
      ANTHROPIC_API_PROFILE: 'anthropic',
      ANTHROPIC_API_KEY: canary('api-key'),
      LOG_LEVEL: 'debug',
      CANARY_TOKEN: canary('env-token'),
      // Nothing in the names says that this is a secret.
      CANARY_PLACE: canary('env-place'),
    };
    const said: string[] = [];
    // One server for all commands, which are many.
    const up = startProgram('clout', ['up', '--port', '0', '--json'], project, { env });
    await up.line((line) => line.includes('"url"'));
    const clout = async (expected: number, ...args: readonly string[]): Promise<void> => {
      const looks = ['list', 'tools', 'rekey', 'doctor'].some((word) => args.includes(word));
      for (const json of looks ? [['--json']] : [[], ['--json']]) {
        const input = args[0] === 'chat' ? 'Go\n' : '';
        // What was added is added anew, the second time.
        const again = args[1] === 'add' ? ['--replace'] : [];
        const ended = await runProgram('clout', [...args, ...again, ...json], project, { env, input });
        const command = args.slice(0, 2).join(' ');
        said.push(`stdout of ${command}: ${ended.stdout}`, `stderr of ${command}: ${ended.stderr}`);
        expect(ended.code, `${command}: ${ended.stderr}${ended.stdout}`.slice(-2000)).toBe(expected);
      }
    };
    const values = [
      `LEAK_TOKEN=env:CANARY_TOKEN`,
      `LEAK_PLACE=env:CANARY_PLACE`,
      `LEAK_FILE=file:${path.join(outside, 'one')}`,
      `LEAK_PASSWORD=${canary('literal')}`,
      `LEAK_URL=postgres://ann:${canary('in-address')}@127.0.0.1/db`,
      'LEAK_MODE=fast',
    ];
    const add = ['mcp', 'add', '--command', process.execPath];
    try {
      await clout(0, ...add, '--args', LEAKING, '--env', ...values, '--id', 'leaking');
      await clout(
        0,
        ...add,
        '--args=-e',
        '--args=console.error(process.env.LEAK_PASSWORD);process.exit(3)',
        '--env',
        ...values,
        '--id',
        'broken',
      );
      const url = [
        'mcp',
        'add',
        '--url',
        'http://127.0.0.1:9/mcp',
        '--allow-network',
        'loopback',
        '--id',
        'far',
        '--header',
      ];
      await clout(0, ...url, `Authorization=Bearer ${canary('header')}`);
      // As curl takes it, and not we.
      await clout(2, ...url, `Authorization: Bearer ${canary('mistaken')}`);
      await clout(0, 'mcp', 'list');
      for (const [id, code] of [
        ['leaking', 0],
        ['broken', 7],
        ['far', 7],
      ] as const)
        await clout(code, 'mcp', 'test', id);
      await clout(0, 'mcp', 'tools', 'leaking');
      for (const kind of ['text', 'error', 'refuse'])
        await clout(kind === 'error' || kind === 'refuse' ? 1 : 0, 'mcp', 'call', 'leaking', kind);
      await clout(0, 'agent', 'run', 'Go', '--server', 'leaking', '--max-iterations', '20');
      await clout(0, 'chat', '--server', 'leaking', '--max-iterations', '20');
      await clout(0, 'mcp', 'rekey');
      await clout(0, 'mcp', 'test', 'leaking');
      await clout(0, 'runs', 'list');
      await clout(0, 'doctor');
      up.kill('SIGTERM');
      const { stdout, stderr } = await up.ended;
      said.push(`stdout of up: ${stdout}`, `stderr of up: ${stderr}`);
      // The secrets were really there: what said them was hidden, and what is none was not.
      for (const command of ['mcp call', 'agent run', 'chat --server', 'mcp test'])
        expect(said.filter((text) => text.startsWith(`stdout of ${command}`)).join('\n')).toContain('(hidden)');
      expect(said.join('\n')).toContain('fast');
      const home = project.env['HOME'] ?? '';
      for (const file of [...filesBelow(project.root), ...filesBelow(home)])
        said.push(`file ${file}: ${readFileSync(file, 'latin1')}`);
      const entries = project.read('.cloutagent/mcp.json');
      expect(entries.match(/secret:[0-9a-f]{16}/gu)).toHaveLength(2 * 2 + 1);
      expect(entries).toContain('fast');
      const leaks = said
        .filter((text) => text.includes(MARK))
        .map((text) => {
          const at = text.indexOf(MARK);
          return `${text.slice(0, 90)} … ${text.slice(Math.max(0, at - 60), at + 40)}`;
        });
      expect(leaks).toEqual([]);
    } finally {
      up.kill('SIGTERM');
      await up.ended;
      await simulator.close();
    }
  }, 180_000);
});
