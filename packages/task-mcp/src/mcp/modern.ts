import type { Reply, RequestContext } from '@cloutagent/http';
import type { JSONRPCNotification, JSONRPCRequest, McpServer } from './sdk.ts';
import type { Clock } from '@cloutagent/kit';
import type { Caller } from '../run-tool.ts';
import { callerKey } from './caller-key.ts';
import { mismatch } from './era.ts';
import type { ServerFactory, ServerInfo } from './factory.ts';
import { Instances } from './instances.ts';
import { Listeners } from './listen.ts';
import { wrongParamHeader } from './param-headers.ts';
import { PostAnswer } from './post-answer.ts';
import { TaskDesk, type TaskSupport } from './task-desk.ts';
import { CODE, errorAnswer, idIn, incoming } from './wire.ts';

export interface ModernOptions {
  readonly factory: ServerFactory;
  readonly serverInfo: ServerInfo;
  readonly clock: Clock;
  readonly tasks: ReadonlyMap<string, TaskSupport>;
}

export interface ModernHttp {
  answer(context: RequestContext, caller: Caller, message: JSONRPCRequest | JSONRPCNotification): Promise<Reply>;
  close(): Promise<void>;
}

/** Arguments that a tool wants in headers too must be there. */
const wrongHeader = (mcp: McpServer, { method, params }: JSONRPCRequest, { headers }: RequestContext) => {
  const name = method === 'tools/call' ? params?.['name'] : undefined;
  const schema = typeof name === 'string' ? mcp.toolInputSchemaJson(name) : undefined;
  const wrong = schema === undefined ? undefined : wrongParamHeader(schema, params?.['arguments'], headers);
  return wrong === undefined ? undefined : mismatch(wrong.header, String(wrong.value));
};

/** The stateless era over HTTP: one POST is one request, and a client that hangs up has cancelled it. */
export const openModernHttp = ({ factory, serverInfo, clock, tasks }: ModernOptions): ModernHttp => {
  const desk = new TaskDesk(clock, tasks, serverInfo);
  const listeners = new Listeners();
  const instances = new Instances('modern', factory, (key, message) => listeners.publish(key, message));
  return {
    async answer(context, caller, message) {
      const { mcp, channel } = await instances.of(caller);
      const read = incoming(message);
      if (read === undefined) {
        const error = { code: CODE.invalidRequest, message: 'The body is no JSON-RPC message' };
        return { kind: 'json', status: 400, body: errorAnswer(idIn(message), error) };
      }
      if (read.kind !== 'request') {
        // A cancellation means nothing here: ids are the client's own, and closing the connection is how it cancels.
        if (message.method !== 'notifications/cancelled') channel.deliver(read);
        return { kind: 'empty', status: 202 };
      }
      if (message.method === 'subscriptions/listen') {
        const capabilities = mcp.server.getCapabilities();
        return listeners.serve(callerKey(caller), read.message, { capabilities, info: serverInfo });
      }
      const wrong = wrongHeader(mcp, read.message, context);
      if (wrong !== undefined) {
        return { kind: 'json', status: wrong.status, body: errorAnswer(read.message.id, wrong.error) };
      }
      const answer = new PostAnswer({ era: 'modern', requests: 1, batch: false });
      const cancel =
        desk.serve(callerKey(caller), channel, read.message, answer) ?? channel.request(read.message, answer);
      const onGone = (): void => cancel('The client went away');
      context.signal.addEventListener('abort', onGone, { once: true });
      return answer.reply;
    },
    close: () => instances.close(),
  };
};
