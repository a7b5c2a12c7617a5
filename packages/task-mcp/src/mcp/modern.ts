import type { Reply, RequestContext } from '@cloutagent/http';
import type { JSONRPCNotification, JSONRPCRequest } from '@modelcontextprotocol/server';
import type { Caller } from '../run-tool.ts';
import { callerKey } from './caller-key.ts';
import type { ServerFactory } from './factory.ts';
import { Instances } from './instances.ts';
import { Listeners } from './listen.ts';
import { PostAnswer } from './post-answer.ts';
import { incoming } from './wire.ts';

export interface ModernHttp {
  answer(context: RequestContext, caller: Caller, message: JSONRPCRequest | JSONRPCNotification): Promise<Reply>;
  close(): Promise<void>;
}

/** The stateless era over HTTP: one POST is one request, and a client that hangs up has cancelled it. */
export const openModernHttp = (factory: ServerFactory, serverInfo: object): ModernHttp => {
  const listeners = new Listeners();
  const instances = new Instances('modern', factory, (key, message) => listeners.publish(key, message));
  return {
    async answer(context, caller, message) {
      const { mcp, channel } = await instances.of(caller);
      const read = incoming(message);
      if (read?.kind !== 'request') {
        // A cancellation means nothing here: ids are the client's own, and closing the connection is how it cancels.
        if (read !== undefined && message.method !== 'notifications/cancelled') channel.deliver(read);
        return { kind: 'empty', status: 202 };
      }
      if (message.method === 'subscriptions/listen') {
        const capabilities = mcp.server.getCapabilities();
        return listeners.serve(callerKey(caller), read.message, { capabilities, info: serverInfo });
      }
      const answer = new PostAnswer({ era: 'modern', requests: 1, batch: false });
      const cancel = channel.request(read.message, answer);
      const onGone = (): void => cancel('The client went away');
      context.signal.addEventListener('abort', onGone, { once: true });
      return answer.reply;
    },
    close: () => instances.close(),
  };
};
