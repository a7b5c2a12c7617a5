import type { Reply, RequestContext } from '@cloutagent/http';
import type { Clock } from '@cloutagent/kit';
import { openLegacyHttp } from './legacy.ts';
import { openModernHttp } from './modern.ts';
import { openSseTransport } from './sse-transport.ts';
import type { Caller } from '../run-tool.ts';
import { routeOf, type Route } from './era.ts';
import type { ServerFactory, ServerInfo } from './factory.ts';
import type { Quick } from './quick.ts';
import type { TaskSupport } from './task-desk.ts';
import { ERROR_META, errorAnswer, idIn, isObject } from './wire.ts';

export interface McpHttpOptions {
  readonly factory: ServerFactory;
  /** Answers in the place of that factory's servers, where it can. */
  readonly quick?: Quick;
  /** Name and version, for the answers that no server instance gives. */
  readonly serverInfo: ServerInfo;
  readonly clock: Clock;
  /** Tools whose calls may become tasks, by name. */
  readonly tasks: ReadonlyMap<string, TaskSupport>;
  /** Where clients of the transport of 2024-11-05 post to. */
  readonly messagesPath: string;
}

/** MCP over HTTP: both eras and the transport of 2024-11-05, over any server that a factory makes. */
export interface McpHttp {
  /** A POST whose body is JSON-RPC. */
  post(context: RequestContext, caller: Caller, body: unknown): Promise<Reply>;
  /** The stream of a session. */
  get(context: RequestContext, caller: Caller): Reply;
  /** The end of a session. */
  remove(context: RequestContext, caller: Caller): Promise<Reply>;
  openSse(context: RequestContext, caller: Caller): Promise<Reply>;
  postToSse(context: RequestContext, caller: Caller, body: unknown): Reply;
  close(): Promise<void>;
}

/** What the audit log is told of a request: its method, and the tool that it calls. */
const noteOf = (body: unknown): Readonly<Record<string, string>> => {
  const { method, params } = isObject(body) ? body : {};
  if (typeof method !== 'string') return { rpc: 'batch' };
  const name = method === 'tools/call' && isObject(params) ? params['name'] : undefined;
  return { rpc: method.slice(0, 100), ...(typeof name === 'string' ? { tool: name.slice(0, 100) } : {}) };
};

/** Code of the error that an answer tells, of our table: a failed tool answers 200, which the audit log would believe. */
const failureIn = (reply: Reply): string | undefined => {
  const body = reply.kind === 'json' && isObject(reply.body) ? reply.body : {};
  const { error, result } = body;
  const meta = isObject(result) && result['isError'] === true && isObject(result['_meta']) ? result['_meta'] : {};
  const told = isObject(error) ? error['data'] : meta[ERROR_META];
  const code = isObject(told) ? told['code'] : undefined;
  if (typeof code === 'string') return code;
  return isObject(error) ? `JSON-RPC ${String(error['code'])}` : undefined;
};

export const openMcpHttp = ({ factory, quick, serverInfo, clock, tasks, messagesPath }: McpHttpOptions): McpHttp => {
  const now = (): number => clock.monotonic();
  const modern = openModernHttp({ factory, serverInfo, clock, tasks });
  const legacy = openLegacyHttp(factory, now);
  const sse = openSseTransport(factory, now, messagesPath);
  const quickly = (context: RequestContext, caller: Caller, route: Route, body: unknown) => {
    if (quick === undefined || route.kind === 'refuse' || !isObject(body)) return undefined;
    if (route.kind === 'legacy' && !legacy.admits(context, caller)) return undefined;
    return quick.answer(context, route.kind, body);
  };
  const answer = async (context: RequestContext, caller: Caller, body: unknown): Promise<Reply> => {
    const route = routeOf(context.headers, body);
    const answered = await quickly(context, caller, route, body);
    if (answered !== undefined) return answered;
    if (route.kind === 'legacy') return legacy.post(context, caller, body);
    if (route.kind === 'refuse')
      return { kind: 'json', status: route.status, body: errorAnswer(idIn(body), route.error) };
    const reply = await modern.answer(context, caller, route.message);
    if (isObject(body)) quick?.learn(body, reply);
    return reply;
  };
  return {
    async post(context, caller, body) {
      context.note(noteOf(body));
      const reply = await answer(context, caller, body);
      const code = failureIn(reply);
      if (code !== undefined) context.note({ code });
      return reply;
    },
    get: (context, caller) => legacy.get(context, caller),
    remove: (context, caller) => legacy.remove(context, caller),
    openSse: (context, caller) => sse.open(context, caller),
    postToSse(context, caller, body) {
      context.note(noteOf(body));
      return sse.post(context, caller, body);
    },
    async close() {
      await Promise.all([modern.close(), legacy.close(), sse.close()]);
    },
  };
};
