import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic, { APIError } from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { parseScenario } from './parse-scenario.ts';
import type { LogEntry } from './request-log.ts';
import { startSimulator } from './server.ts';

const TEXT = 'one two three four five six seven eight nine ten';
const BODY = { model: 'claude-sonnet-5-5', max_tokens: 200, messages: [{ role: 'user' as const, content: 'hello' }] };

interface Seen {
  readonly deltas: number;
  /** How it ended: `done`, `cut` (in order but too early), or what was thrown. */
  readonly end: string;
  readonly entry: LogEntry | undefined;
}

/** One request to a simulator with one rule. */
const meet = async (answer: unknown, options: { stream: boolean; patienceMs?: number }): Promise<Seen> => {
  const folder = await mkdtemp(join(tmpdir(), 'fault-'));
  const logFile = join(folder, 'requests.jsonl');
  const simulator = await startSimulator({
    port: 0,
    host: '127.0.0.1',
    logFile,
    scenario: parseScenario({ format: 1, rules: [{ answer }] }),
  });
  const client = new Anthropic({ baseURL: simulator.url, apiKey: 'any', maxRetries: 0 });
  const signal = AbortSignal.timeout(options.patienceMs ?? 10_000);
  let deltas = 0;
  let end = 'cut';
  try {
    if (options.stream) {
      for await (const event of await client.messages.create({ ...BODY, stream: true }, { signal })) {
        if (event.type === 'content_block_delta') deltas += 1;
        if (event.type === 'message_stop') end = 'done';
      }
      // The SDK's iterator ends without a word on abort.
      if (signal.aborted) end = 'aborted';
    } else {
      await client.messages.create(BODY, { signal });
      end = 'done';
    }
  } catch (error) {
    end = signal.aborted ? 'aborted' : error instanceof APIError ? `${error.status} ${error.type}` : String(error);
  }
  await simulator.close();
  const lines = (await readFile(logFile, 'utf8')).trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  await rm(folder, { recursive: true });
  return { deltas, end, entry: JSON.parse(lines[0] ?? '') as LogEntry };
};

describe('[X7.scenario] a fault', () => {
  it.each<readonly [string, unknown, boolean, Pick<Seen, 'deltas'> & { end: RegExp }, number, string | null]>([
    [
      'drop before the first byte of a stream',
      { fault: 'drop', text: TEXT },
      true,
      { deltas: 0, end: /undefined/u },
      0,
      'drop',
    ],
    ['drop of an answer', { fault: 'drop', text: TEXT }, false, { deltas: 0, end: /undefined/u }, 0, 'drop'],
    [
      'drop in a stream',
      { fault: 'drop', text: TEXT, afterDeltas: 2 },
      true,
      { deltas: 2, end: /terminated/u },
      200,
      'drop',
    ],
    [
      'truncated stream',
      { fault: 'truncate', text: TEXT, afterDeltas: 2 },
      true,
      { deltas: 2, end: /^cut$/u },
      200,
      'truncate',
    ],
    [
      'stream without its end',
      { fault: 'truncate', text: TEXT, afterDeltas: 99 },
      true,
      { deltas: 4, end: /^cut$/u },
      200,
      'truncate',
    ],
    ['truncated answer', { fault: 'truncate', text: TEXT }, false, { deltas: 0, end: /SyntaxError/u }, 200, 'truncate'],
    [
      'error in a stream',
      { fault: 'midstream-error', text: TEXT },
      true,
      { deltas: 1, end: /undefined overloaded_error/u },
      200,
      'midstream-error',
    ],
    [
      'error of another kind',
      { fault: 'midstream-error', text: TEXT, afterDeltas: 0, error: { status: 500 } },
      true,
      { deltas: 0, end: /undefined api_error/u },
      200,
      'midstream-error',
    ],
    [
      'error without a stream',
      { fault: 'midstream-error', text: TEXT },
      false,
      { deltas: 0, end: /529 overloaded_error/u },
      529,
      null,
    ],
  ])('%s is what a client meets', async (_name, answer, stream, expected, status, fault) => {
    const seen = await meet(answer, { stream });
    expect(seen.deltas).toBe(expected.deltas);
    expect(seen.end).toMatch(expected.end);
    expect(seen.entry).toMatchObject({ seq: 1, status, fault, stream });
    // What broke on its way was worked out and is billed; an error is not.
    expect(seen.entry?.usage?.output_tokens ?? 0).toBe(fault === null ? 0 : 12);
  });

  it.each([
    [true, 1, 200],
    [false, 0, 0],
  ])('stall (stream: %s) sends nothing more until the client leaves', async (stream, deltas, status) => {
    const seen = await meet({ fault: 'stall', text: TEXT }, { stream, patienceMs: 400 });
    expect(seen).toMatchObject({ deltas, end: 'aborted', entry: { status, fault: 'stall' } });
  });

  it.each([
    [429, 'rate_limit_error', 3],
    [529, 'overloaded_error', undefined],
    [500, 'api_error', 'soon'],
  ])('error %i has the type of the API and its retry-after', async (status, type, retryAfter) => {
    const scenario = parseScenario({
      format: 1,
      rules: [{ answer: { error: { status, message: 'for {{model}}', retryAfter } } }],
    });
    const simulator = await startSimulator({ port: 0, host: '127.0.0.1', scenario });
    const response = await fetch(`${simulator.url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': 'k', 'anthropic-version': '2026-10-21' },
      body: JSON.stringify(BODY),
    });
    expect(response.status).toBe(status);
    expect(response.headers.get('retry-after')).toBe(retryAfter === undefined ? null : String(retryAfter));
    expect(await response.json()).toMatchObject({ error: { type, message: 'for claude-sonnet-5-5' } });
    await simulator.close();
  });
});
