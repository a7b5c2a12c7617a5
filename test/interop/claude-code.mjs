import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadScenario, startSimulator } from '../../packages/simulator/dist/index.js';
import { expect } from './expect.mjs';

// Claude Code itself, without an account: our simulator is its model and asks for our tools.

const HERE = fileURLToPath(new URL('.', import.meta.url));
const BIN = `${HERE}node_modules/@anthropic-ai/claude-code-linux-x64/claude`;
/** A cold start reads 250 MB; a turn takes a second. */
const PATIENCE_MS = 180_000;

/** The tools by the names that Claude Code gives them, in the order in which the scenario asks for them. */
const STEPS = [
  ['mcp__taskmcp__change_open', 'created successfully'],
  ['mcp__taskmcp__changes_active', '"total":'],
  ['ReadMcpResourceTool', '# Change: Interop'],
  ['mcp__taskmcp__change_archive', 'archived successfully'],
];

/** Only what is said here reaches the program, so that no account or setting of this machine can. */
const environment = (home, url) => ({
  PATH: process.env.PATH,
  HOME: home,
  TERM: 'dumb',
  ANTHROPIC_BASE_URL: url,
  ANTHROPIC_API_KEY: 'sk-simulated',
  ENABLE_TOOL_SEARCH: 'false',
  DISABLE_AUTOUPDATER: '1',
  DISABLE_TELEMETRY: '1',
  DISABLE_ERROR_REPORTING: '1',
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
});

const ask = async (place, config, url, slug) => {
  writeFileSync(join(place, 'mcp.json'), JSON.stringify({ mcpServers: { taskmcp: config } }));
  const home = join(place, 'home');
  mkdirSync(home, { recursive: true });
  const tools = ['--tools', 'ReadMcpResourceTool', '--allowedTools', 'mcp__taskmcp ReadMcpResourceTool'];
  const servers = ['--strict-mcp-config', '--mcp-config', 'mcp.json'];
  const child = spawn(
    BIN,
    [
      '-p',
      `Take ${slug} through its life`,
      '--output-format',
      'stream-json',
      '--verbose',
      '--bare',
      ...tools,
      ...servers,
    ],
    { cwd: place, env: environment(home, url), stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => (output += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk) => (errors += chunk));
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  const [code] = await once(child, 'close');
  clearTimeout(timer);
  expect(code === 0, `claude ends with ${code}: ${errors}${output.slice(-2000)}`);
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
};

const textOf = (content) =>
  typeof content === 'string' ? content : (content ?? []).map(({ text }) => text ?? '').join('\n');

/** Every call that was asked for, with what Claude Code gave back for it. */
const callsIn = (events) => {
  const blocks = events.flatMap(({ message }) => (Array.isArray(message?.content) ? message.content : []));
  const results = new Map(
    blocks.filter(({ type }) => type === 'tool_result').map((block) => [block.tool_use_id, block]),
  );
  return blocks.filter(({ type }) => type === 'tool_use').map(({ id, name }) => ({ name, result: results.get(id) }));
};

const judge = (events, cwd, slug) => {
  const init = events.find(({ subtype }) => subtype === 'init');
  expect(
    init?.mcp_servers?.[0]?.status === 'connected',
    `not connected: ${JSON.stringify(init?.mcp_servers ?? events.slice(0, 3))}`,
  );
  const calls = callsIn(events);
  const names = calls.map(({ name }) => name).join(', ');
  expect(names === STEPS.map(([name]) => name).join(', '), `it called: ${names}`);
  for (const [index, [name, words]] of STEPS.entries()) {
    const { result } = calls[index];
    const text = textOf(result?.content);
    expect(result?.is_error !== true && text.includes(words), `${name}: ${text.slice(0, 500)}`);
  }
  const end = events.find(({ type }) => type === 'result');
  expect(end?.is_error === false && end.result === 'Simulated: done', `the end: ${JSON.stringify(end)}`);
  const archived = readdirSync(join(cwd, 'openspec/changes/archive')).some((name) => name.endsWith(`-${slug}`));
  expect(archived, 'no folder in the archive');
};

/** @returns pairs of a name and a function that takes a slug through its life */
export const claudeCodeClients = (cwd, url, { bin, token }) => {
  if (!existsSync(BIN)) {
    console.log('skipped Claude Code: its program for this system is not installed (Linux on x64 only)');
    return [];
  }
  const make = (config) => async (slug) => {
    const place = mkdtempSync(join(tmpdir(), 'claude-code-'));
    const scenario = await loadScenario(`${HERE}claude-code.scenario.json`);
    const simulator = await startSimulator({ port: 0, host: '127.0.0.1', scenario });
    try {
      judge(await ask(place, config, simulator.url, slug), cwd, slug);
    } finally {
      await simulator.close();
      rmSync(place, { recursive: true, force: true });
    }
  };
  const headers = { Authorization: `Bearer ${token}` };
  return [
    [
      'Claude Code stdio',
      make({ type: 'stdio', command: process.execPath, args: [bin], env: { WORKING_DIRECTORY: cwd } }),
    ],
    ['Claude Code HTTP', make({ type: 'http', url: `${url}/mcp`, headers })],
  ];
};
