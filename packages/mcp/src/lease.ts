import { CloutError, type McpServerRef, type McpTool, type McpToolResult } from '@cloutagent/contract';
import type { SupervisedServer } from './supervised.ts';
import { toWireNames } from './tool-name.ts';
import type { McpCallOptions, McpMessage, McpPrompt, McpResource } from './types.ts';

export interface OpenLeaseOptions {
  readonly signal?: AbortSignal;
  /** Goes on without the servers that cannot be reached; they stand in `failures`. */
  readonly partial?: boolean;
}

interface Keeper {
  acquire(ref: McpServerRef): Promise<SupervisedServer>;
  release(server: SupervisedServer, bound: boolean): Promise<void>;
}

interface Held {
  readonly server: SupervisedServer;
  readonly bound: boolean;
}

/** A server that a partial lease goes without. */
export interface LeaseFailure {
  readonly id: string;
  readonly error: unknown;
}

/** The tools of some servers, frozen when it was opened, and references that keep those servers alive until it is closed. */
export class Lease implements AsyncDisposable {
  readonly failures: readonly LeaseFailure[];
  readonly #held: ReadonlyMap<string, Held>;
  readonly #tools: ReadonlyMap<string, McpTool>;
  readonly #keeper: Keeper;
  #closing: Promise<void> | undefined;

  private constructor(
    held: ReadonlyMap<string, Held>,
    tools: ReadonlyMap<string, McpTool>,
    failures: readonly LeaseFailure[],
    keeper: Keeper,
  ) {
    this.#held = held;
    this.#tools = tools;
    this.failures = failures;
    this.#keeper = keeper;
  }

  static async open(refs: readonly McpServerRef[], options: OpenLeaseOptions, keeper: Keeper): Promise<Lease> {
    const held = new Map<string, Held>();
    const failures: LeaseFailure[] = [];
    const tools: McpTool[] = [];
    const close = async (): Promise<void> => {
      await Promise.all([...held.values()].map(({ server, bound }) => keeper.release(server, bound)));
    };
    const openOne = async (ref: McpServerRef): Promise<readonly McpTool[]> => {
      const server = await keeper.acquire(ref);
      const bound = Object.keys(ref.params ?? {}).length > 0;
      try {
        const listed = await server.tools(options.signal);
        held.set(ref.id, { server, bound });
        return listed;
      } catch (error) {
        await keeper.release(server, bound);
        throw error;
      }
    };
    const unique = new Map(refs.map((ref) => [ref.id, ref]));
    if (unique.size < refs.length)
      throw new CloutError('INVALID_INPUT', 'An MCP server is named twice', { hint: 'Name each server once' });
    const results = await Promise.allSettled(refs.map(openOne));
    for (const [index, result] of results.entries()) {
      if (result.status === 'fulfilled') tools.push(...result.value);
      else failures.push({ id: refs[index]?.id ?? '', error: result.reason });
    }
    const [first] = failures;
    if (first !== undefined && (options.partial !== true || options.signal?.aborted === true)) {
      await close();
      throw first.error;
    }
    return new Lease(held, toWireNames(tools), failures, keeper);
  }

  /** Wire name (`mcp__server__tool`) → tool, sorted by wire name. */
  tools(): ReadonlyMap<string, McpTool> {
    return this.#tools;
  }

  /** A tool by `server:tool` or by its wire name. Throws TOOL_NOT_FOUND. */
  tool(name: string): McpTool {
    const byWireName = this.#tools.get(name);
    if (byWireName !== undefined) return byWireName;
    const found = [...this.#tools.values()].find((tool) => `${tool.server}:${tool.name}` === name);
    if (found === undefined)
      throw new CloutError('TOOL_NOT_FOUND', `There is no tool ${name}`, {
        details: { tools: [...this.#tools.values()].map((tool) => `${tool.server}:${tool.name}`).slice(0, 50) },
      });
    return found;
  }

  /** Errors: MCP_CONNECTION_FAILED, MCP_QUARANTINED, MCP_NOT_APPROVED, REQUEST_TIMEOUT, MCP_SERVER_NOT_FOUND, the signal's reason. */
  call(tool: McpTool, input: unknown, options: McpCallOptions): Promise<McpToolResult> {
    return this.#server(tool.server).call(tool, input, options);
  }

  async resources(id: string, signal?: AbortSignal): Promise<readonly McpResource[]> {
    return (await this.#server(id).connect(signal)).resources(signal);
  }

  async readResource(
    id: string,
    uri: string,
    signal?: AbortSignal,
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    return (await this.#server(id).connect(signal)).readResource(uri, signal);
  }

  async prompts(id: string, signal?: AbortSignal): Promise<readonly McpPrompt[]> {
    return (await this.#server(id).connect(signal)).prompts(signal);
  }

  async prompt(
    id: string,
    name: string,
    args: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<readonly McpMessage[]> {
    return (await this.#server(id).connect(signal)).prompt(name, args, signal);
  }

  /** Gives the references back; safe to call again. */
  close(): Promise<void> {
    this.#closing ??= Promise.all(
      [...this.#held.values()].map(({ server, bound }) => this.#keeper.release(server, bound)),
    ).then(() => undefined);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #server(id: string): SupervisedServer {
    const held = this.#held.get(id);
    if (held === undefined || this.#closing !== undefined)
      throw new CloutError('MCP_SERVER_NOT_FOUND', `This agent has no MCP server "${id}"`);
    return held.server;
  }
}
