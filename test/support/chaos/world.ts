import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createClient, type Client } from '@cloutagent/client';
// oxlint-disable-next-line no-restricted-imports -- a foreign program that holds the database is no public name of a package
import { openSqlite } from '../../../packages/store/src/libsql.ts';
import { freePort } from '../processes.ts';
import { openTempProject, type TempProject } from '../project.ts';
import { startProgram } from '../program.ts';
import { startWorkflowServer, type WorkflowServer } from '../workflow-server.ts';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Text of twelve tokens or so, so that an answer takes a while; an agent that is offered a tool calls it first. */
const SCENARIO = {
  format: 1,
  name: 'chaos',
  delays: { firstTokenMs: 50, perTokenMs: 8 },
  rules: [
    ...['look', 'put', 'send'].map((tool) => ({
      when: { turn: 1, tools: [`mcp__effects__${tool}`] },
      answer: { text: 'I use it.', toolCalls: [{ name: `mcp__effects__${tool}`, input: { text: 'agent' } }] },
    })),
    { answer: { text: 'Simulated: this is what was to be said about it, in one line.' } },
  ],
};

/** A server, its model and its tools, each of which can be hit. */
export interface World extends AsyncDisposable {
  readonly project: TempProject;
  readonly url: string;
  readonly token: string;
  /** Of the server, which keeps its address over restarts. */
  readonly client: Client;
  /** `kill -9`, then a new process; what is to be done in between is done while nobody owns the data. */
  killServer(between?: () => void): Promise<void>;
  freezeServer(ms: number): Promise<void>;
  freezeModel(ms: number): Promise<void>;
  /** Sets the server's wall clock, in milliseconds beside the true one. */
  setClock(offsetMs: number): void;
  /** The next request of the model goes wrong so. */
  failModel(fault: string): Promise<void>;
  /** The next call of a tool goes wrong so. */
  failTool(fault: string): void;
  /** Another program holds the database. */
  holdDatabase(ms: number): Promise<void>;
  /** No fault waits any more. */
  calm(): Promise<void>;
  /** Keys of calls on which tools acted, in order. */
  effects(tool: string): readonly string[];
}

export const openWorld = async (): Promise<World> => {
  const project = openTempProject();
  const folder = join(project.root, 'world');
  mkdirSync(folder);
  const at = (name: string): string => join(folder, name);
  writeFileSync(at('scenario.json'), JSON.stringify(SCENARIO));
  writeFileSync(at('clock'), '0');
  writeFileSync(at('effects.jsonl'), '');
  mkdirSync(join(project.root, '.cloutagent/simulator'), { recursive: true, mode: 0o700 });
  const log = join(project.root, '.cloutagent/simulator/requests.jsonl');
  const model = startProgram('clout', ['simulate', '--scenario', at('scenario.json'), '--log', log], project);
  const line = await model.line((text) => text.includes('"url"'));
  if (line === undefined) throw new Error(`clout simulate ended: ${(await model.ended).stderr}`);
  const modelUrl = (JSON.parse(line) as { url: string }).url;
  const port = await freePort();
  const start = (): Promise<WorkflowServer> =>
    startWorkflowServer(
      project,
      {
        ANTHROPIC_API_URL: modelUrl,
        // A model that went silent is given up within the test.
        DEFAULT_TIMEOUT_MS: '2000',
        JUMPING_CLOCK: at('clock'),
        NODE_OPTIONS: `--import=${pathToFileURL(here('jumping-clock.mjs')).href}`,
      },
      port,
    );
  let server = await start();
  const client = createClient({ baseUrl: server.url, token: server.token });
  const config = {
    id: 'effects',
    transport: 'stdio',
    command: process.execPath,
    args: [here('effects-server.mjs'), folder],
    timeouts: { callMs: 1_500 },
  } as const;
  await client.call('mcpServerAdd', { body: { config } as never });
  const freeze = async (pid: number, ms: number): Promise<void> => {
    process.kill(pid, 'SIGSTOP');
    await sleep(ms);
    process.kill(pid, 'SIGCONT');
  };
  return {
    project,
    url: server.url,
    token: server.token,
    client,
    killServer: async (between) => {
      await server.kill();
      between?.();
      server = await start();
    },
    freezeServer: (ms) => freeze(server.pid, ms),
    freezeModel: (ms) => freeze(model.pid, ms),
    setClock: (offsetMs) => writeFileSync(at('clock'), String(offsetMs)),
    failModel: async (fault) => {
      await fetch(`${modelUrl}/simulator/faults?fault=${encodeURIComponent(fault)}`, { method: 'POST' });
    },
    failTool: (fault) => writeFileSync(at('fault'), fault),
    holdDatabase: async (ms) => {
      const connection = openSqlite(join(project.root, '.cloutagent/store.db'), { busyTimeoutMs: 1_000 });
      try {
        connection.exec('BEGIN IMMEDIATE');
        await sleep(ms);
        connection.exec('ROLLBACK');
      } finally {
        connection.close();
      }
    },
    calm: async () => {
      await fetch(`${modelUrl}/simulator/faults`, { method: 'DELETE' });
      writeFileSync(at('fault'), '');
    },
    effects: (tool) =>
      readFileSync(at('effects.jsonl'), 'utf8')
        .split('\n')
        .filter((text) => text !== '')
        .map((text) => JSON.parse(text) as { readonly tool: string; readonly key: string })
        .filter((effect) => effect.tool === tool)
        .map(({ key }) => key),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      model.kill('SIGTERM');
      await model.ended;
      project[Symbol.dispose]();
    },
  };
};
