import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '@cloutagent/contract';
import type { RequestContext } from '@cloutagent/http';
import { systemClock } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { createPromptCache } from './cache.ts';
import { createFaultBook } from './fault-book.ts';
import { createHistory } from './history.ts';
import { createChooser } from './match.ts';
import { answerMessages } from './messages-route.ts';
import { createPacer } from './pacer.ts';
import { PROFILES } from './profile.ts';
import { createRecorder } from './recorder.ts';
import { openRequestLog, type LogEntry, type RequestLog } from './request-log.ts';
import { defaultScenario } from './scenario.ts';
import { startSimulator } from './server.ts';

const BODY = {
  model: 'claude-sonnet-5-5',
  max_tokens: 200,
  system: 'b',
  messages: [{ role: 'user', content: 'hello' }],
};
const HEADERS = { 'content-type': 'application/json', 'x-api-key': 'any', 'anthropic-version': '2026-10-21' };

const folderWith = async (text?: string) => {
  const folder = await mkdtemp(join(tmpdir(), 'log-'));
  const file = join(folder, 'deep', 'requests.jsonl');
  const logFile = text === undefined ? file : join(folder, 'requests.jsonl');
  if (text !== undefined) await writeFile(logFile, text);
  return { logFile, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
};
const linesOf = async (file: string): Promise<LogEntry[]> =>
  (await readFile(file, 'utf8'))
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as LogEntry);

const entry: Omit<LogEntry, 'seq'> = {
  at: '2026-11-20T00:00:00.000Z',
  path: '/v1/messages',
  requestId: 'req_sim_1',
  idempotencyKey: null,
  model: null,
  stream: false,
  status: 200,
  usage: null,
  stopReason: null,
  promptHash: null,
  rule: null,
  fault: null,
  error: null,
};

describe('[X7.log] the request log', () => {
  it('has every request, refused ones too, with what it was billed', async () => {
    await using place = await folderWith();
    const simulator = await startSimulator({ port: 0, host: '127.0.0.1', logFile: place.logFile });
    const post = (body: string, headers: Record<string, string> = HEADERS): Promise<Response> =>
      fetch(`${simulator.url}/v1/messages`, { method: 'POST', headers, body });
    const answer = (await (
      await post(JSON.stringify(BODY), { ...HEADERS, 'idempotency-key': 'run_1:task/turn[0]' })
    ).json()) as { usage: unknown };
    const refused = await post(JSON.stringify({ ...BODY, stream: true, top_p: 1 }));
    await post('{');
    await post(JSON.stringify(BODY), {});
    await simulator.close();
    const [first, ...others] = await linesOf(place.logFile);
    expect(first).toMatchObject({
      seq: 1,
      path: '/v1/messages',
      idempotencyKey: 'run_1:task/turn[0]',
      model: BODY.model,
      stream: false,
      status: 200,
      usage: answer.usage,
      stopReason: 'end_turn',
      // sha256 of {"messages":[{"content":"hello","role":"user"}],"model":"claude-sonnet-5-5","system":"b"}
      promptHash: 'ae113956f6a7f2c150f44feafd8c49e8101977c1ebcbdadbbc0bd77899d67c48',
      rule: 0,
    });
    expect(others.map(({ seq, status, stream, usage, error }) => [seq, status, stream, usage, error?.type])).toEqual([
      [2, 400, true, null, 'invalid_request_error'],
      [3, 400, false, null, 'invalid_request_error'],
      [4, 401, false, null, 'authentication_error'],
    ]);
    expect(others[0]?.requestId).toBe(refused.headers.get('request-id'));
  });

  it('goes on counting where the file ends, and cuts a torn line off', async () => {
    await using place = await folderWith();
    const first = await openRequestLog(place.logFile);
    await Promise.all([first.append(entry), first.append(entry)]);
    await first.close();
    await appendFile(place.logFile, '{"seq":3,"at":"20');
    const second = await openRequestLog(place.logFile);
    await second.append(entry);
    await second.close();
    expect((await linesOf(place.logFile)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it.each([
    'hello',
    'hello\n',
    '{"seq":1}\nnotes',
    '{"seq":"1"}\n',
    `${'x'.repeat(70_000)}\n`,
    `${'x'.repeat(70_000)}{"seq":`,
  ])('is not written into a file of another kind (%#)', async (text) => {
    await using place = await folderWith(text);
    expect(await openRequestLog(place.logFile).then(() => 'opened', codeOf)).toBe('VALIDATION_ERROR');
    expect(await readFile(place.logFile, 'utf8')).toBe(text);
  });

  it('holds the answer back until the line is on the disk, and gives none where it cannot be written', async () => {
    const events: string[] = [];
    let finish: (error?: Error) => void = () => undefined;
    const requestLog: RequestLog = {
      append: () =>
        new Promise((resolve, reject) => {
          events.push('append');
          finish = (error) => (error === undefined ? resolve() : reject(error));
        }),
      close: () => Promise.resolve(),
    };
    const ask = (body: unknown): Promise<unknown> => {
      const context: RequestContext = {
        requestId: 'req_1',
        method: 'POST',
        url: new URL('http://127.0.0.1/v1/messages'),
        params: {},
        headers: HEADERS,
        remoteAddress: '127.0.0.1',
        secure: false,
        principal: { name: 'test', scopes: [] },
        signal: new AbortController().signal,
        throwIfAborted: () => undefined,
        readJson: () => Promise.resolve(body),
        checkToken: () => undefined,
        note: () => undefined,
        stats: () => {
          throw new Error('not part of this test');
        },
      };
      const deps = {
        clock: systemClock,
        choose: createChooser(defaultScenario),
        delays: { firstTokenMs: 0, perTokenMs: 0 },
        cache: createPromptCache(),
        history: createHistory(),
        requestLog,
        recorder: createRecorder(10),
        faults: createFaultBook(),
        pacer: createPacer(systemClock),
        profile: PROFILES.anthropic,
      };
      return answerMessages(context, deps).then(
        () => events.push('answer'),
        () => events.push('failure'),
      );
    };
    for (const body of [BODY, { ...BODY, stream: true }, { ...BODY, top_k: 1 }]) {
      const answered = ask(body);
      await systemClock.sleep(20);
      expect(events.splice(0)).toEqual(['append']);
      finish();
      await answered;
      expect(events.splice(0)).toEqual(['answer']);
    }
    const failed = ask(BODY);
    await systemClock.sleep(20);
    finish(new Error('ENOSPC'));
    await failed;
    expect(events).toEqual(['append', 'failure']);
  });
});
