import type { Reply, RequestContext } from '@cloutagent/http';
import { keptJson } from '../kept-json.ts';
import { callerIn } from '../locality.ts';
import { callTool, readContents, type McpDeps } from './perform.ts';
import type { ServerInfo } from './factory.ts';
import { SERVER_INFO_META_KEY } from './sdk.ts';
import { hasOnly, isObject, isRequestId, type Era } from './wire.ts';

type Members = Readonly<Record<string, unknown>>;

/**
 * Answers the requests that clients send all day, tool calls and reads of resources, without the SDK, which parses
 * each message four times. It answers what the SDK would: whatever is not exactly as expected is left to it.
 */
export interface Quick {
  /** @returns undefined for what the SDK has to answer */
  answer(context: RequestContext, era: Era, body: Members): Promise<Reply | undefined> | undefined;
  /** Looks at what the SDK answered to a request, to learn which envelopes of the stateless era are good. */
  learn(body: Members, reply: Reply): void;
}

/** Tools whose calls never become tasks, by both their names. */
const TOOLS: ReadonlySet<unknown> = new Set(['change.open', 'change_open', 'changes.active', 'changes_active']);

/** Envelopes that were good; a client has one, so these are that many clients of late. */
const MAX_ENVELOPES = 256;
/** Capabilities of real clients have some hundred characters. */
const MAX_ENVELOPE_LENGTH = 4096;

const isProgressToken = (value: unknown): boolean => isRequestId(value);

/** The envelope as text, without the one member that differs from request to request; undefined where it is none. */
const envelopeOf = (params: Members): string | undefined => {
  const meta = params['_meta'];
  if (!isObject(meta)) return undefined;
  if (!Object.hasOwn(meta, 'progressToken')) return JSON.stringify(meta);
  const { progressToken, ...rest } = meta;
  return isProgressToken(progressToken) ? JSON.stringify(rest) : undefined;
};

/** Requests before the stateless era need no envelope; a token of progress is all that real clients send. */
const isPlainMeta = (meta: unknown): boolean =>
  meta === undefined || (isObject(meta) && hasOnly(meta, 'progressToken') && isProgressToken(meta['progressToken']));

export const openQuick = (deps: McpDeps, serverInfo: ServerInfo): Quick => {
  const envelopes = new Set<string>();
  const meta = { [SERVER_INFO_META_KEY]: serverInfo };

  const paramsOf = (era: Era, body: Members): Members | undefined => {
    const { params } = body;
    if (!isObject(params) || !isRequestId(body['id']) || body['jsonrpc'] !== '2.0') return undefined;
    if (!hasOnly(body, 'jsonrpc', 'id', 'method', 'params')) return undefined;
    if (era === 'legacy') return isPlainMeta(params['_meta']) ? params : undefined;
    const envelope = envelopeOf(params);
    return envelope !== undefined && envelopes.has(envelope) ? params : undefined;
  };

  const call = async (
    context: RequestContext,
    era: Era,
    { id, params }: Members & { params: Members },
  ): Promise<Reply> => {
    const result = await callTool(deps, callerIn(context), String(params['name']), params['arguments']);
    const complete = {
      content: result.content,
      isError: 'isError' in result ? result.isError : undefined,
      resultType: era === 'legacy' ? undefined : 'complete',
      _meta: era === 'legacy' ? result._meta : Object.assign(result._meta, meta),
    };
    if (!('structuredContent' in result)) return { kind: 'json', body: { jsonrpc: '2.0', id, result: complete } };
    const head = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${JSON.stringify(complete).slice(0, -1)}`;
    return {
      kind: 'text',
      contentType: 'application/json',
      // The page is most of the answer, and became bytes already.
      body: [`${head},"structuredContent":`, keptJson(result.structuredContent), '}}'],
    };
  };

  const read = async (era: Era, { id, params }: Members & { params: Members }): Promise<Reply | undefined> => {
    try {
      const { contents } = await readContents(deps, String(params['uri']));
      const result =
        era === 'legacy'
          ? { contents }
          : { contents, resultType: 'complete', ttlMs: 0, cacheScope: 'private', _meta: meta };
      return { kind: 'json', body: { jsonrpc: '2.0', id, result } };
    } catch {
      // The SDK has its own forms for errors; it asks once more.
      return undefined;
    }
  };

  return {
    answer(context, era, body) {
      const { method } = body;
      if (method !== 'tools/call' && method !== 'resources/read') return undefined;
      const params = paramsOf(era, body);
      if (params === undefined) return undefined;
      if (method === 'resources/read') {
        const isRead = typeof params['uri'] === 'string' && hasOnly(params, 'uri', '_meta');
        return isRead ? read(era, { id: body['id'], params }) : undefined;
      }
      const args = params['arguments'];
      const isCall =
        TOOLS.has(params['name']) &&
        (args === undefined || isObject(args)) &&
        hasOnly(params, 'name', 'arguments', '_meta');
      return isCall ? call(context, era, { id: body['id'], params }) : undefined;
    },
    learn({ params }, reply) {
      const isGood = reply.kind === 'json' && isObject(reply.body) && isObject(reply.body['result']);
      const envelope = isGood && isObject(params) ? envelopeOf(params) : undefined;
      if (envelope === undefined || envelope.length > MAX_ENVELOPE_LENGTH) return;
      envelopes.add(envelope);
      for (const oldest of envelopes) {
        if (envelopes.size <= MAX_ENVELOPES) return;
        envelopes.delete(oldest);
      }
    },
  };
};
