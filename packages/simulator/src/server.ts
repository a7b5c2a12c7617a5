import { createFront, type FormatError, type Log } from '@cloutagent/http';
import { systemClock, type Clock } from '@cloutagent/kit';
import { batchRoutes } from './batches.ts';
import { createPromptCache } from './cache.ts';
import { errorReply, toRequestId } from './caller.ts';
import { controlRoutes } from './control-routes.ts';
import { createFaultBook } from './fault-book.ts';
import { createHistory } from './history.ts';
import { infoRoutes } from './info-routes.ts';
import { createChooser } from './match.ts';
import { answerMessages } from './messages-route.ts';
import { createPacer } from './pacer.ts';
import { PROFILES, type ProfileName } from './profile.ts';
import { createRecorder } from './recorder.ts';
import { Refusal } from './refusal.ts';
import { openRequestLog } from './request-log.ts';
import { defaultScenario, type Scenario } from './scenario.ts';

export interface SimulatorOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** A loopback address: the simulator takes any key. */
  readonly host: string;
  /** Whose keys and whose subset of the API are enforced; Anthropic's by default. */
  readonly profile?: ProfileName;
  /** `defaultScenario` where none is given. */
  readonly scenario?: Scenario;
  /** Request log, JSON lines; appended to where it exists. */
  readonly logFile?: string;
  /** Milliseconds before the first delta; wins over the scenario. */
  readonly firstTokenMs?: number;
  /** Milliseconds for each token of output; wins over the scenario. */
  readonly perTokenMs?: number;
  /** Requests that are kept in memory for `GET /simulator/requests`; 200 by default, 0 keeps none. */
  readonly recorded?: number;
  readonly clock?: Clock;
  readonly log?: Log;
}

export interface Simulator {
  /** `http://127.0.0.1:PORT`, what an SDK takes as its base URL. */
  readonly url: string;
  close(): Promise<void>;
}

/** As large as the real API takes. */
const LARGEST_BODY = 32 * 1024 * 1024;
/** A long conversation with many tools; parsing as many takes an eighth of a second. */
const MOST_KEYS = 100_000;
/** What one test sends; some 10 MB where they are long conversations. */
const RECORDED = 200;
/** Streams that are being answered when the simulator is closed get this long. */
const DRAIN_MS = 500;

/** Starts a Messages API that answers from a scenario; resolves when it listens. VALIDATION_ERROR for a log file of another kind. */
export const startSimulator = async (options: SimulatorOptions): Promise<Simulator> => {
  const { clock = systemClock, scenario = defaultScenario, log = () => undefined } = options;
  const requestLog = options.logFile === undefined ? undefined : await openRequestLog(options.logFile);
  const profile = PROFILES[options.profile ?? 'anthropic'];
  const deps = {
    clock,
    profile,
    requestLog,
    recorder: createRecorder(options.recorded ?? RECORDED),
    faults: createFaultBook(),
    pacer: createPacer(clock),
    choose: createChooser(scenario),
    delays: {
      firstTokenMs: options.firstTokenMs ?? scenario.delays.firstTokenMs,
      perTokenMs: options.perTokenMs ?? scenario.delays.perTokenMs,
    },
    cache: createPromptCache(),
    history: createHistory(),
  };
  const front = createFront({
    routes: [
      {
        method: 'POST',
        path: '/v1/messages',
        scope: 'open',
        maxBodyBytes: LARGEST_BODY,
        maxJsonKeys: MOST_KEYS,
        handler: (context) => answerMessages(context, deps),
      },
      ...infoRoutes({ ...deps, scenario: scenario.name }),
      ...controlRoutes(deps),
      ...(profile.catalogue ? batchRoutes(deps) : []),
    ],
    tokens: { user: [], admin: [] },
    allowedOrigins: [],
    clock,
    log,
    formatError,
    authenticate: false,
  });
  try {
    const { url } = await front.listen({ port: options.port, host: options.host });
    return {
      url,
      close: async () => {
        await front.drain(DRAIN_MS);
        await requestLog?.close();
      },
    };
  } catch (error) {
    await requestLog?.close();
    throw error;
  }
};

/** Errors of the front itself, such as an address that does not exist, in the shape of this API. */
const formatError: FormatError = (status, body, { requestId }) =>
  errorReply(new Refusal(status, body.message), toRequestId(requestId));
