import { PRODUCT_VERSION } from '@cloutagent/contract';
import type { Reply, RequestContext, Route } from '@cloutagent/http';
import { newId } from '@cloutagent/kit';
import { checkCaller, errorReply, type Caller, MARK, toRefusal, toRequestId } from './caller.ts';
import { logRequest, type Journal } from './journal.ts';
import { findModelInfo, listModels } from './model-info.ts';
import type { ServerProfile } from './profile.ts';
import type { Delays } from './scenario.ts';
import { Refusal } from './refusal.ts';
import { readCountRequest } from './validate/request.ts';

interface InfoDeps extends Journal {
  readonly scenario: string;
  readonly profile: ServerProfile;
  readonly delays: Delays;
}

const LARGEST_BODY = 32 * 1024 * 1024;

/** What stands beside `/v1/messages`: counting, the models, and the words that say what this is. */
export const infoRoutes = (deps: InfoDeps): readonly Route[] => [
  {
    method: 'GET',
    path: '/',
    scope: 'open',
    handler: () => ({
      kind: 'json',
      headers: MARK,
      body: {
        name: 'CloutAgent simulator',
        simulator: true,
        description:
          'Speaks the Anthropic Messages API and answers from a scenario. No model is asked and nothing is billed.',
        version: PRODUCT_VERSION,
        scenario: deps.scenario,
        profile: deps.profile.name,
        delays: deps.delays,
        endpoints: [
          'POST /v1/messages',
          ...(deps.profile.countTokens ? ['POST /v1/messages/count_tokens'] : []),
          ...(deps.profile.catalogue ? ['GET /v1/models', 'GET /v1/models/:id'] : []),
          'GET /healthz',
          'GET /simulator/requests',
          'POST /simulator/faults',
        ],
      },
    }),
  },
  {
    method: 'GET',
    path: '/healthz',
    scope: 'open',
    handler: () => ({ kind: 'json', headers: MARK, body: { status: 'ok', simulator: true } }),
  },
  ...(deps.profile.countTokens ? [countRoute(deps)] : []),
  ...(deps.profile.catalogue ? modelRoutes(deps) : []),
];

const countRoute = (deps: InfoDeps): Route => ({
  method: 'POST',
  path: '/v1/messages/count_tokens',
  scope: 'open',
  maxBodyBytes: LARGEST_BODY,
  handler: (context) =>
    logged(context, deps, async (caller) => {
      const body = await context.readJson();
      return { body, answer: { input_tokens: readCountRequest(body, { ...caller, nowMs: deps.clock.now() }) } };
    }),
});

const modelRoutes = (deps: InfoDeps): readonly Route[] => [
  {
    method: 'GET',
    path: '/v1/models',
    scope: 'open',
    handler: (context) =>
      logged(context, deps, () => {
        const { searchParams } = context.url;
        const states = [...searchParams.getAll('lifecycle'), ...searchParams.getAll('lifecycle[]')];
        const data = listModels(deps.clock.now(), states);
        return { answer: { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null } };
      }),
  },
  {
    method: 'GET',
    path: '/v1/models/:id',
    scope: 'open',
    handler: (context) =>
      logged(context, deps, () => {
        const id = context.params['id'] ?? '';
        const model = findModelInfo(id, deps.clock.now());
        if (model === undefined) throw new Refusal(404, `model: ${id.slice(0, 200)}`);
        return { answer: model };
      }),
  },
];

type Work = (caller: Caller) => Promise<Result> | Result;
interface Result {
  readonly body?: unknown;
  readonly answer: unknown;
}

const logged = async (context: RequestContext, journal: InfoDeps, work: Work): Promise<Reply> => {
  const id = toRequestId(newId('req', journal.clock));
  try {
    const { body, answer } = await work(checkCaller(context, journal.profile));
    await logRequest(journal, context, { id, body }, { status: 200 });
    return { kind: 'json', headers: { ...MARK, 'request-id': id }, body: answer };
  } catch (error) {
    const refusal = toRefusal(error);
    if (refusal === undefined) throw error;
    await logRequest(
      journal,
      context,
      { id, body: undefined },
      { status: refusal.status, error: { type: refusal.type, message: refusal.message } },
    );
    return errorReply(refusal, id);
  }
};
