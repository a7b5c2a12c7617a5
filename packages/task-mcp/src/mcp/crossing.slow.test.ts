import { Agent, request } from 'node:http';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { serveProject, type Served } from '../harness.ts';
import { modernHeaders, shakeHands, ENVELOPE, type Message } from './http-harness.ts';

const CLIENTS = 100;
const CALLS = 1000;
const BATCH = 100;

/** Keeps its connections: a hundred thousand calls would not fit into the ports of this machine. */
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** A connection that the server has just given up as idle is met by every client that keeps some: it asks once more. */
const post = async (served: Served, headers: Record<string, string>, body: unknown): Promise<unknown> => {
  const sent = request(`${served.url}/mcp`, {
    method: 'POST',
    agent,
    headers: { 'content-type': 'application/json', ...headers },
  });
  sent.end(JSON.stringify(body));
  const answer = once(sent, 'response') as Promise<[NodeJS.ReadableStream]>;
  const response = await answer.then(
    ([first]) => first,
    (error: unknown) => {
      if (sent.reusedSocket && error instanceof Error && 'code' in error && error.code === 'ECONNRESET')
        return undefined;
      throw error;
    },
  );
  if (response === undefined) return post(served, headers, body);
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return JSON.parse(text) as unknown;
};

/** Nobody has this tool, so the answer is an error that names it: whose answer it is can be seen. */
const nameOf = (client: number, call: number): string => `tool-${client}-${call}`;
const tagged = (client: number, call: number, _meta?: object) => ({
  jsonrpc: '2.0',
  // All clients use the same ids.
  id: call % BATCH,
  method: 'tools/call',
  params: { name: nameOf(client, call), arguments: {}, ...(_meta === undefined ? {} : { _meta }) },
});

const toolIn = ({ error }: Message): unknown => new Map(Object.entries(error?.data?.['details'] ?? {})).get('tool');

/** Calls whose answer was somebody else's. */
const crossed = (client: number, from: number, answers: readonly Message[]): readonly Message[] => {
  const byId = new Map(answers.map((answer) => [answer.id, answer]));
  return Array.from({ length: answers.length }, (_, index) => from + index)
    .map((call) => [byId.get(call % BATCH) ?? {}, nameOf(client, call)] as const)
    .flatMap(([answer, name]) => (toolIn(answer) === name ? [] : [answer]));
};

describe('[H17] a hundred clients with a thousand tagged calls each', () => {
  it('get their own answers, in both eras, with sessions and without, though all use the same ids', async () => {
    const tokens = ['one', 'two', 'three'];
    await using served = await serveProject({ front: { tokens: { user: tokens, admin: [] } } });
    const bad: Message[] = [];
    let answered = 0;
    const check = (client: number, from: number, answers: readonly Message[]): void => {
      answered += answers.length;
      bad.push(...crossed(client, from, answers));
    };
    const run = async (client: number): Promise<void> => {
      // Many clients share a token, and with it what is kept for a caller.
      const authorization = `Bearer ${tokens[client % tokens.length] ?? ''}`;
      if (client % 10 === 0) {
        for (let call = 0; call < CALLS; call += 1) {
          const headers = { authorization, ...modernHeaders('tools/call', nameOf(client, call)) };
          check(client, call, [(await post(served, headers, tagged(client, call, ENVELOPE))) as Message]);
        }
        return;
      }
      const session = client % 4 === 1 ? {} : { 'mcp-session-id': await shakeHands(served, { authorization }) };
      for (let from = 0; from < CALLS; from += BATCH) {
        const batch = Array.from({ length: BATCH }, (_, index) => tagged(client, from + index));
        check(client, from, (await post(served, { authorization, ...session }, batch)) as Message[]);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, (_, client) => run(client)));
    agent.destroy();
    expect(answered).toBe(CLIENTS * CALLS);
    expect(bad).toEqual([]);
  }, 180_000);
});
