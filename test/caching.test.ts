import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient, type Client } from '@cloutagent/client';
import type { RunDetail } from '@cloutagent/contract';
import { createLog, startServer, type RunningServer } from '@cloutagent/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const CLOUT = fileURLToPath(new URL('../apps/cli/bin/clout.mjs', import.meta.url));
const LIST = 'mcp__filesystem__list_directory';
const TURNS = 6;
/** An agent that looks six times, ten times at once in the third turn, and then answers. */
const look = (turn: number): object => {
  const call = { name: LIST, input: { path: '{{projectFolder}}/notes' } };
  return {
    when: { turn, tools: [LIST] },
    answer: {
      text: `I look for the time ${turn}.`,
      toolCalls: Array.from({ length: turn === 3 ? 10 : 1 }, () => call),
    },
  };
};
const SCENARIO = {
  format: 1,
  name: 'looking',
  rules: [...Array.from({ length: TURNS }, (_, index) => look(index + 1)), { answer: { text: 'Seen.' } }],
};
/** Some 1,000 tokens, which the model keeps; it keeps nothing below 512. */
const LONG = 'Every note is short, dated and about one thing. '.repeat(80);

let root: string;
let server: RunningServer;
let client: Client;

interface Asked {
  readonly idempotencyKey: string;
  readonly usage: {
    readonly input_tokens: number;
    readonly output_tokens: number;
    readonly cache_read_input_tokens: number;
    readonly cache_creation_input_tokens: number;
  };
}

beforeAll(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), 'clout-caching-')));
  await mkdir(path.join(root, 'notes'));
  for (const name of ['bread', 'rolls', 'cakes']) await writeFile(path.join(root, 'notes', name), name);
  await writeFile(path.join(root, 'scenario.json'), JSON.stringify(SCENARIO).replaceAll('{{projectFolder}}', root));
  server = await startServer({
    root,
    port: 0,
    host: '127.0.0.1',
    environment: { PATH: process.env['PATH'] ?? '', XDG_CONFIG_HOME: path.join(root, 'config'), RATE_LIMIT: '0' },
    user: 'ann',
    log: createLog('silent'),
    simulatorCommand: [process.execPath, CLOUT, 'simulate', '--scenario', path.join(root, 'scenario.json')],
    resumeInterrupted: true,
  });
  client = createClient({ baseUrl: server.url, token: server.token });
});
afterAll(async () => {
  await server.close();
  await rm(root, { recursive: true, force: true });
});

const finished = async (workflow: object, input: string): Promise<RunDetail & { readonly asked: readonly Asked[] }> => {
  const body = { workflow, input, simulate: true } as never;
  const { id } = await client.call('workflowRun', { body });
  let detail: RunDetail | undefined;
  await expect
    .poll(async () => (detail = await client.call('runShow', { params: { id } })).run.status, { timeout: 30_000 })
    .toMatch(/completed|failed|paused/u);
  if (detail?.run.status !== 'completed') throw new Error(JSON.stringify(detail?.run.reason));
  const log = await readFile(path.join(root, '.cloutagent/simulator/requests.jsonl'), 'utf8');
  const all = log.trim().split('\n');
  const asked = all
    .map((line) => JSON.parse(line) as Asked)
    .filter(({ idempotencyKey: key }) => key.startsWith(`${id}:`));
  return { ...detail, asked };
};

/** claude-sonnet-5-5 by the published list, in nano-dollars a token; without a cache all of a prompt is input. */
const bill = (asked: readonly Asked[], cache: boolean): number =>
  asked.reduce((sum, { usage }) => {
    const { input_tokens: input, cache_read_input_tokens: read, cache_creation_input_tokens: written } = usage;
    const prompt = cache ? input * 2000 + read * 100 + written * 2500 : (input + read + written) * 2000;
    return sum + prompt + usage.output_tokens * 10_000;
  }, 0);
const agent = (id: string, data: object) => ({ id, type: 'agent', data: { model: 'claude-sonnet-5-5', ...data } });

describe('[X1.ledger-exact X3.ceiling] the prompt cache in a workflow', () => {
  it('[X5.replay] reads in each turn of a loop what the turn before it sent, also after a turn with many tools at once', async () => {
    const data = { systemPrompt: 'You look.', prompt: 'Look at {{input}}', mcpServers: ['filesystem'] };
    const workflow = { name: 'looking', model: 'claude-sonnet-5-5', nodes: [agent('a', data)] };
    const plan = await client.call('workflowPlan', { body: { workflow, input: 'notes', simulate: true } });
    expect(plan.derivation.join('\n')).toMatch(/read from the cache, which saves \$0\.0\d+/u);
    expect(plan.ceiling.nanoUsd).toBeLessThanOrEqual(5 * plan.expected.nanoUsd);

    const { run, asked, ledger } = await finished(workflow, 'notes');
    expect(asked).toHaveLength(TURNS + 1);
    let before = 0;
    for (const { usage } of asked) {
      expect(usage.cache_read_input_tokens).toBe(before);
      expect(usage.input_tokens).toBe(0);
      before += usage.cache_creation_input_tokens;
    }
    expect(run.money.spent.nanoUsd).toBe(bill(asked, true));
    expect(run.money.spent.nanoUsd).toBeLessThanOrEqual(plan.ceiling.nanoUsd);
    expect(bill(asked, true)).toBeLessThan(0.45 * bill(asked, false));
    expect(ledger.every(({ amount, reserved }) => amount.nanoUsd <= reserved.nanoUsd)).toBe(true);

    const replayed = await client.call('runReplay', { params: { id: run.id }, body: {} });
    expect(replayed).toMatchObject({ equal: 1, divergences: [], modelCalls: 0 });
    // What the second run is expected to cost was learned, and its ceiling holds if nothing is found in the cache.
    const learned = await client.call('workflowPlan', { body: { workflow, input: 'notes', simulate: true } });
    expect(learned.expected.nanoUsd).toBe(bill(asked, true));
    const missed = asked.reduce((sum, { usage }) => sum + usage.cache_read_input_tokens * 2400, bill(asked, true));
    expect(learned.ceiling.nanoUsd).toBeGreaterThanOrEqual(missed);
  });

  it('asks for nothing where a prompt is short, or nobody sends it again', async () => {
    const short = agent('a', { systemPrompt: 'You answer.' });
    const once = agent('b', { systemPrompt: LONG });
    const beside = [agent('c', { systemPrompt: `${LONG} Twice.` }), agent('d', { systemPrompt: `${LONG} Twice.` })];
    const { run, asked } = await finished({ name: 'once', nodes: [short, once, ...beside] }, 'Hi');
    expect(asked).toHaveLength(4);
    for (const { usage } of asked) {
      expect(usage.cache_creation_input_tokens).toBe(0);
      expect(usage.cache_read_input_tokens).toBe(0);
    }
    expect(run.money.spent.nanoUsd).toBe(bill(asked, true));
  });

  it('keeps the beginning that agents share which come after one another, and the items of a long map', async () => {
    const nodes = [
      agent('a', { systemPrompt: `${LONG} A.` }),
      agent('b', { systemPrompt: `${LONG} A.`, prompt: 'More' }),
    ];
    const { asked } = await finished({ name: 'after', nodes, edges: [{ source: 'a', target: 'b' }] }, 'Hi');
    const [first, second] = asked;
    expect(first?.usage.cache_creation_input_tokens).toBeGreaterThan(900);
    expect(second?.usage.cache_read_input_tokens).toBe(first?.usage.cache_creation_input_tokens);
    expect(second?.usage.cache_creation_input_tokens).toBe(0);

    const inner = { nodes: [agent('each', { systemPrompt: `${LONG} Each.` })], edges: [] };
    const map = { id: 'm', type: 'map', data: { ...inner, split: 'lines', concurrency: 1 } };
    const mapped = await finished({ name: 'mapped', nodes: [map] }, 'one\ntwo\nthree\nfour');
    expect(mapped.asked.map(({ usage }) => usage.cache_read_input_tokens > 900)).toEqual([false, true, true, true]);
    expect(mapped.run.money.spent.nanoUsd).toBe(bill(mapped.asked, true));
    // The prompts differ from item to item.
    const other = { ...inner, nodes: [agent('each', { systemPrompt: `${LONG} {{input}}` })] };
    const differing = { ...map, data: { ...map.data, ...other } };
    const apart = await finished({ name: 'apart', nodes: [differing] }, 'one\ntwo\nthree\nfour');
    expect(apart.asked.map(({ usage }) => usage.cache_creation_input_tokens)).toEqual([0, 0, 0, 0]);
  });
});
