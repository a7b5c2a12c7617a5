/** What the tests of this room stand on; listed in no index. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFront } from '@cloutagent/http';
import { systemClock } from '@cloutagent/kit';
import { listChanges, openChange, openProject } from '@cloutagent/openspec';
import { startSimulator, type SimulatorOptions } from '@cloutagent/simulator';
import { createTaskMcp } from '@cloutagent/task-mcp';

export const TOKEN = 'task-mcp-token';

export interface Servers extends AsyncDisposable {
  /** Base addresses. */
  readonly taskMcp: string;
  readonly claude: string;
  /** Opens changes with these slugs, titled `About SLUG`. */
  open(...slugs: readonly string[]): Promise<void>;
  /** Slugs of the active changes, sorted. */
  slugs(): Promise<readonly string[]>;
  /** What the simulator was sent, oldest first. */
  requests(): Promise<readonly { readonly status: number; readonly body: Readonly<Record<string, unknown>> }[]>;
}

/** Task MCP over HTTP on an empty folder, with a token, and the simulator. */
export const serveBoth = async (options: Partial<SimulatorOptions> = {}): Promise<Servers> => {
  const clock = systemClock;
  const root = await mkdtemp(join(tmpdir(), 'compat-'));
  const project = await openProject(root, { clock, caller: 'tester' });
  const log = (): void => undefined;
  const front = createFront({
    routes: createTaskMcp({ log, clock, version: '9.9.9', project }).routes,
    tokens: { user: [TOKEN], admin: [] },
    allowedOrigins: [],
    clock,
    log,
  });
  const { url } = await front.listen({ port: 0, host: '127.0.0.1' });
  const simulator = await startSimulator({ port: 0, host: '127.0.0.1', ...options });
  return {
    taskMcp: url,
    claude: simulator.url,
    async open(...slugs) {
      for (const slug of slugs) await openChange(project, { title: `About ${slug}`, slug });
    },
    async slugs() {
      const { items } = await listChanges(project, { limit: 200 });
      return items.map(({ slug }) => slug).sort();
    },
    async requests() {
      const response = await fetch(`${simulator.url}/simulator/requests?path=/v1/messages`);
      const { requests } = (await response.json()) as { requests: Awaited<ReturnType<Servers['requests']>> };
      return requests;
    },
    async [Symbol.asyncDispose]() {
      await simulator.close();
      front.server.closeAllConnections();
      await front.drain(0);
      await rm(root, { recursive: true, force: true });
    },
  };
};
