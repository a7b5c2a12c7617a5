import { createClient, type Client, type EventsOptions } from '@cloutagent/client';
import { CloutError, codeOf, type RunFrame } from '@cloutagent/contract';
import type { RunningServer } from '@cloutagent/server';
import type { Context } from './context.ts';
import { CLOUT } from './program-path.ts';

/** A conversation with whoever owns the data folder; the owner may change while it lasts. */
export interface Session {
  /** A call that finds the owner gone is repeated to the next one, which may be this process. */
  readonly call: Client['call'];
  readonly url: string;
  /** The server runs in this process and ends with the command. */
  readonly own: boolean;
  /** What happens in a run; throws SERVER_UNREACHABLE as soon as a server of another process goes away. */
  events(runId: string, options: EventsOptions): AsyncGenerator<RunFrame, void>;
  /** Executes an agent; leaving the loop stops it. */
  readonly streamAgent: Client['streamAgent'];
  /** Looks for the owner again and becomes it where there is none. Errors: DATA_FOLDER_IN_USE, those of the server. */
  renew(signal?: AbortSignal): Promise<void>;
  /** Waits for the end of the owner that answers now, then renews; false where it stays. */
  outlast(ms: number): Promise<boolean>;
  /** The command was interrupted: its server need not wait for the runs of others. */
  hurry(): void;
  close(): Promise<void>;
}

/** An owner that stops gives open requests 10 s; one that starts needs a moment until it answers. */
const OWNER_MS = 15_000;
const POLL_MS = 150;
/** Owners that may vanish under one call: more would be a loop of short commands that start and end. */
const TRIES = 3;
/** A person does not notice, and a list of runs costs next to nothing. */
const OTHERS_MS = 500;

interface Link {
  readonly client: Client;
  readonly url: string;
  /** Aborted when a server of another process does not answer any more. */
  readonly lost: AbortSignal;
  readonly server: RunningServer | undefined;
}

/** The owner has gone or is going. */
export const isLost = (error: unknown): boolean => {
  const code = codeOf(error);
  return code === 'SERVER_UNREACHABLE' || code === 'SHUTTING_DOWN';
};

/** Speaks to the owner of `dataDir`; where there is none, this process becomes it until `close`. */
export const openSession = async (
  context: Context,
  place: { readonly root: string; readonly dataDir: string },
): Promise<Session> => {
  const { clock } = context.io;
  let link = await attach(context, place);
  let hurried = false;
  const renew = async (signal?: AbortSignal): Promise<void> => {
    if (link.server === undefined) link = await attach(context, place, signal);
  };
  const call: Client['call'] = async (route, ...rest) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await link.client.call(route, ...rest);
      } catch (error) {
        if (link.server !== undefined || attempt >= TRIES || !isLost(error)) throw error;
        await renew();
      }
    }
  };
  async function* events(runId: string, options: EventsOptions): AsyncGenerator<RunFrame, void> {
    const { client, lost, url } = link;
    const signal = AbortSignal.any([lost, ...(options.signal === undefined ? [] : [options.signal])]);
    yield* client.events(runId, { ...options, signal });
    if (lost.aborted && options.signal?.aborted !== true)
      throw new CloutError('SERVER_UNREACHABLE', `The server at ${url} went away`, { cause: lost.reason });
  }
  return {
    call,
    events,
    streamAgent: (...args) => link.client.streamAgent(...args),
    renew,
    get url() {
      return link.url;
    },
    get own() {
      return link.server !== undefined;
    },
    outlast: async (ms) => {
      const { findServer } = await import('@cloutagent/server');
      const until = clock.monotonic() + ms;
      while ((await findServer(place.dataDir))?.url === link.url) {
        if (clock.monotonic() > until) return false;
        await clock.sleep(POLL_MS);
      }
      await renew();
      return true;
    },
    hurry: () => {
      hurried = true;
    },
    close: async () => {
      if (link.server === undefined) return;
      try {
        if (!hurried) await waitForOthers(context, link.client);
      } finally {
        await link.server.close();
      }
    },
  };
};

const attach = async (
  context: Context,
  { root, dataDir }: { readonly root: string; readonly dataDir: string },
  signal?: AbortSignal,
): Promise<Link> => {
  const { createLog, findServer, startServer } = await import('@cloutagent/server');
  const { clock, environment, user } = context.io;
  const until = clock.monotonic() + OWNER_MS;
  for (;;) {
    const found = await findServer(dataDir);
    if (found !== undefined) return toLink(found);
    try {
      const server = await startServer({
        root,
        port: 0,
        host: '127.0.0.1',
        environment,
        user,
        // The command's own output says what happens; the log is for what goes wrong.
        log: createLog(environment.LOG_LEVEL ?? 'error', environment.DEBUG),
        borrowed: true,
        simulatorCommand: [...CLOUT, 'simulate'],
      });
      return toLink(server, server);
    } catch (error) {
      if (codeOf(error) !== 'DATA_FOLDER_IN_USE' || clock.monotonic() > until) throw error;
    }
    await clock.sleep(POLL_MS, signal);
  }
};

const toLink = ({ url, token }: { readonly url: string; readonly token: string }, server?: RunningServer): Link => {
  const lost = new AbortController();
  const watched: typeof fetch = async (input, init) => {
    try {
      const response = await fetch(input, init);
      // A server that stops says so to whoever comes back.
      if (response.status === 503 && server === undefined) lost.abort();
      return response;
    } catch (error) {
      if (init?.signal?.aborted !== true && server === undefined) lost.abort(error);
      throw error;
    }
  };
  return { client: createClient({ baseUrl: url, token, fetch: watched }), url, lost: lost.signal, server };
};

/** Other commands have runs in this process, which would be cut off with it. */
const waitForOthers = async ({ io, output }: Context, client: Client): Promise<void> => {
  const over = new AbortController();
  const stopListening = io.onInterrupt(() => over.abort());
  try {
    for (let told = false; !over.signal.aborted; told = true) {
      const page = await client.call('runsList', { query: { limit: 200 } });
      const running = page.items.filter((run) => run.status === 'running').length;
      if (running === 0) return;
      if (!told) output.note(`Waiting for ${running} other run(s) started from here; Ctrl-C leaves them resumable`);
      await io.clock.sleep(OTHERS_MS, over.signal).catch(() => {});
    }
  } catch {
    // What cannot be asked is not waited for.
  } finally {
    stopListening();
  }
};
