import { CloutError, ROUTES, type AgentExecuteInput, type RunFrame, type StreamChunk } from '@cloutagent/contract';
import { systemClock, type Clock } from '@cloutagent/kit';
import { readChunks } from './agent-stream.ts';
import { sendRequest, unreachable, type ClientOptions, type RequestInput } from './request.ts';
import type { CallableRoute, RouteInput, RouteOutput } from './route-input.ts';
import { runEvents, type EventsOptions } from './run-events.ts';

export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** The input may be left out where a route needs none. */
type InputArguments<N extends CallableRoute> =
  object extends RouteInput<N>
    ? [input?: RouteInput<N>, options?: CallOptions]
    : [input: RouteInput<N>, options?: CallOptions];

/** The server's API, typed from the table of routes. Errors are `CloutError`s with the server's code, message, hint and details. */
export interface Client {
  call<N extends CallableRoute>(route: N, ...rest: InputArguments<N>): Promise<RouteOutput<N>>;
  /** What happens in a run, gap-free and without repetition; reconnects by itself and throws once the server stays away. */
  events(runId: string, options?: EventsOptions): AsyncGenerator<RunFrame, void>;
  /** Executes an agent and gives what happens as it happens, the last chunk being `done`. Leaving the loop stops the execution. */
  streamAgent(id: string, body: AgentExecuteInput, options?: CallOptions): AsyncGenerator<StreamChunk, void>;
}

export interface CreateClientOptions extends ClientOptions {
  readonly clock?: Clock;
  /** Value in [0, 1) for the jitter of reconnects. */
  readonly random?: () => number;
}

/** Makes a client; it holds no connection, so there is nothing to close. */
export const createClient = (options: CreateClientOptions): Client => {
  const call = async <N extends CallableRoute>(route: N, ...rest: InputArguments<N>): Promise<RouteOutput<N>> => {
    const input: RequestInput = rest[0] ?? {};
    const response = await sendRequest(options, route, input, { signal: rest[1]?.signal });
    let body: unknown;
    try {
      body = await response.json();
    } catch (error) {
      rest[1]?.signal?.throwIfAborted();
      if (error instanceof SyntaxError) throw unreadable(route, error);
      throw unreachable(options.baseUrl, error);
    }
    const parsed = ROUTES[route].output.safeParse(body);
    if (!parsed.success) throw unreadable(route, parsed.error);
    return parsed.data as RouteOutput<N>; // the schema of this very route, which the compiler cannot follow through the table
  };

  const events: Client['events'] = (runId, eventsOptions = {}) =>
    runEvents(
      {
        baseUrl: options.baseUrl,
        clock: options.clock ?? systemClock,
        random: options.random ?? jitter,
        connect: (after, signal) =>
          sendRequest(
            options,
            'runEvents',
            { params: { id: runId }, query: { after } },
            { signal, headers: { accept: 'text/event-stream', 'last-event-id': String(after) } },
          ),
        show: () => call('runShow', { params: { id: runId } }),
      },
      eventsOptions,
    );

  const streamAgent: Client['streamAgent'] = async function* (id, body, streamOptions = {}) {
    const init = { signal: streamOptions.signal, headers: { accept: 'text/event-stream' } };
    const response = await sendRequest(options, 'agentStream', { params: { id }, body }, init);
    yield* readChunks(options.baseUrl, response);
  };

  return { call, events, streamAgent };
};

const unreadable = (route: string, cause: unknown): CloutError =>
  new CloutError('UNKNOWN_ERROR', `The server answered ${route} with something that this version cannot read`, {
    hint: 'Client and server may be of different versions',
    cause,
  });

const jitter = (): number => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32;
