import { userInfo } from 'node:os';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { ALL_SCOPES, type Principal } from '@cloutagent/contract';
import { isJSONRPCRequest, isJSONRPCResponse, type JSONRPCMessage, type RequestId, type Transport } from './sdk.ts';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import type { McpDeps } from './perform.ts';
import { makeMcpServer } from './server.ts';

/** How long calls that are on their way may take once nothing more can be asked; the process ends within a second. */
const LAST_ANSWERS_MS = 800;
/** A tool call is a few KiB; a longer line is no message of ours. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;

/** Whoever can start this process has the rights of its user. */
const systemUser = (): Principal => ({ name: userInfo().username, scopes: ALL_SCOPES });

/** The SDK's transport, with the requests that wait for an answer counted. */
class CountingTransport implements Transport {
  onmessage?: NonNullable<Transport['onmessage']>;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  readonly #inner: StdioServerTransport;
  readonly #open = new Set<RequestId>();
  #onIdle: () => void = () => undefined;

  constructor(input: Readable, output: Writable) {
    this.#inner = new StdioServerTransport(input, output, { maxBufferSize: MAX_LINE_BYTES });
  }

  start(): Promise<void> {
    Object.assign(this.#inner, {
      onmessage: (message: JSONRPCMessage) => {
        if (isJSONRPCRequest(message)) this.#open.add(message.id);
        this.onmessage?.(message);
      },
      onclose: () => this.onclose?.(),
      onerror: (error: Error) => this.onerror?.(error),
    });
    return this.#inner.start();
  }

  async send(message: JSONRPCMessage): Promise<void> {
    await this.#inner.send(message);
    if (!isJSONRPCResponse(message) || message.id === undefined) return;
    this.#open.delete(message.id);
    if (this.#open.size === 0) this.#onIdle();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  /** Resolves when every request that came in has its answer. */
  idle(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }
}

/**
 * Serves MCP, both eras, on a pair of streams until the input ends or the output breaks. The SDK drops what is not
 * answered yet when its input ends, which would leave `echo REQUEST | task-mcp` without an answer; so the end is
 * passed on only after the last answer.
 */
export const serveOnStdio = async (deps: McpDeps, stdin: Readable, stdout: Writable): Promise<void> => {
  const input = new PassThrough();
  const transport = new CountingTransport(input, stdout);
  const closed = new Promise<void>((resolve) => {
    input.once('close', resolve);
  });
  const caller = { principal: systemUser(), local: true };
  const handle = serveStdio(({ era }) => makeMcpServer(deps, { caller, era, own: true, tasks: false }), {
    transport,
    onerror: (error) => deps.log('warn', 'stdio', { error }),
  });
  const stop = (): void => {
    input.destroy();
  };
  stdout.once('error', stop);
  stdin.once('error', stop);
  stdin.once('end', () => {
    const patience = new AbortController();
    const late = deps.clock.sleep(LAST_ANSWERS_MS, patience.signal).catch(() => undefined);
    // A turn of the loop, so that the last bytes have become messages.
    setImmediate(() => {
      void Promise.race([transport.idle(), late]).then(() => {
        patience.abort();
        input.end();
        stop();
      });
    });
  });
  stdin.pipe(input, { end: false });
  await closed;
  stdin.unpipe(input);
  await handle.close();
};
