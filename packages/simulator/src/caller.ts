import { codeOf, errorSpec } from '@cloutagent/contract';
import type { Reply, RequestContext } from '@cloutagent/http';
import { PROFILES, type ServerProfile } from './profile.ts';
import { invalid, Refusal, toErrorAnswer } from './refusal.ts';
import { API_VERSIONS } from './validate/params.ts';

/** Every answer says by this header that no model was asked. */
export const MARK: Readonly<Record<string, string>> = { 'x-cloutagent-simulator': '1' };

/** `req_…` of the HTTP front → the id that our answers carry. */
export const toRequestId = (id: string): string => `req_sim_${id.replace(/^req_/u, '')}`;

/** What the headers and the query of a request say of how its body is to be read. */
export interface Caller {
  /** Header `anthropic-version`. */
  readonly version: string;
  /** Members of the beta surface are known: `?beta=true` or any beta in the header. */
  readonly beta: boolean;
  /** Header `anthropic-beta`. */
  readonly betas: ReadonlySet<string>;
  readonly profile: ServerProfile;
}

/** Any key will do, but the profile says whether and where there must be one; 401 and 400 otherwise. */
export const checkCaller = (
  { headers, url }: Pick<RequestContext, 'headers' | 'url'>,
  profile: ServerProfile = PROFILES.anthropic,
): Caller => {
  checkKey(headers, profile);
  const version = headers['anthropic-version'];
  if (typeof version !== 'string') {
    if (profile.strictVersion) throw invalid('anthropic-version: header is required');
    return { version: OLDEST, beta: false, betas: new Set(), profile };
  }
  const isKnown = profile.strictVersion ? API_VERSIONS.includes(version) : version >= OLDEST;
  if (!isKnown) throw invalid(`anthropic-version: "${version.slice(0, 40)}" is not a valid version`);
  const named = [headers['anthropic-beta'] ?? []].flat().join(',').split(',');
  const betas = new Set(named.map((name) => name.trim()).filter((name) => name !== ''));
  return { version, beta: betas.size > 0 || url.searchParams.get('beta') === 'true', betas, profile };
};

/** The oldest version that servers other than Anthropic's take. */
const OLDEST = '2023-06-01';

const checkKey = (headers: RequestContext['headers'], { auth, name }: ServerProfile): void => {
  const key = headers['x-api-key'];
  const hasKey = typeof key === 'string' && key.trim() !== '';
  const hasBearer = /^Bearer\s+\S/iu.test(headers.authorization ?? '');
  if (auth === 'key' && !hasKey && !hasBearer) throw new Refusal(401, 'x-api-key header is required');
  if (auth !== 'bearer') return;
  if (!hasBearer) throw new Refusal(401, `${name} takes its key as Authorization: Bearer`);
  if (hasKey) throw new Refusal(401, `${name} takes its key as Authorization: Bearer alone; leave x-api-key empty`);
};

/** What the front's own errors are on this API; undefined for errors that are defects of the simulator. */
export const toRefusal = (error: unknown): Refusal | undefined => {
  if (error instanceof Refusal) return error;
  const code = codeOf(error);
  if (code === undefined || !(error instanceof Error)) return undefined;
  const { status } = errorSpec(code);
  return new Refusal(status === 415 ? 400 : status, error.message);
};

export const errorReply = (refusal: Refusal, requestId: string, retryAfter?: number | string): Reply => ({
  kind: 'json',
  status: refusal.status,
  headers: {
    ...MARK,
    'request-id': requestId,
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
  },
  body: toErrorAnswer(refusal.type, refusal.message, requestId, refusal.errorCode),
});
