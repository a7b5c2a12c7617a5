/** Request for the MCP connector as seed 000 writes it ("MCP Connector Configuration"). */
export interface SeedConnector {
  readonly mcp_servers: Readonly<
    Record<
      string,
      {
        readonly url: string;
        readonly capabilities?: readonly string[];
        /** With or without the word `Bearer` before it. */
        readonly authorization_token?: string;
      }
    >
  >;
  /** Calls that are wished for; without any, every tool of every server is offered. */
  readonly tools?: readonly {
    readonly server: string;
    readonly tool: string;
    readonly input?: Readonly<Record<string, unknown>>;
  }[];
}

/** The members of today's Messages API that say the same. */
export interface ConnectorRequest {
  readonly mcp_servers: readonly {
    readonly type: 'url';
    readonly name: string;
    readonly url: string;
    readonly authorization_token?: string;
  }[];
  readonly tools: readonly {
    readonly type: 'mcp_toolset';
    readonly mcp_server_name: string;
    readonly default_config?: { readonly enabled: boolean };
    readonly configs?: Readonly<Record<string, { readonly enabled: boolean }>>;
  }[];
  readonly betas: readonly string[];
  /** What the seed writes as inputs of tools is a wish in words today: a model decides what it calls. */
  readonly messages: readonly { readonly role: 'user'; readonly content: string }[];
}

const BETA = 'mcp-client-2025-11-20';

/**
 * Seed 000's connector object → the request of today: servers as a list, one toolset a server that enables the named tools
 * alone, the beta, and the wished calls as a message. Throws TypeError for a tool of a server that is not named.
 */
export const toConnectorRequest = ({ mcp_servers: servers, tools = [] }: SeedConnector): ConnectorRequest => {
  const stray = tools.find(({ server }) => !Object.hasOwn(servers, server));
  if (stray !== undefined)
    throw new TypeError(`The tool ${stray.tool} names the server ${stray.server}, which is not in mcp_servers`);
  const names = Object.keys(servers);
  const wished = names.filter((name) => tools.length === 0 || tools.some(({ server }) => server === name));
  return {
    mcp_servers: wished.map((name) => {
      const { url = '', authorization_token: token } = servers[name] ?? {};
      return {
        type: 'url',
        name,
        url,
        ...(token === undefined ? {} : { authorization_token: token.replace(/^Bearer\s+/iu, '') }),
      };
    }),
    tools: wished.map((name) => {
      const own = tools.filter(({ server }) => server === name);
      return {
        type: 'mcp_toolset',
        mcp_server_name: name,
        ...(own.length === 0
          ? {}
          : {
              default_config: { enabled: false },
              configs: Object.fromEntries(own.map(({ tool }) => [tool, { enabled: true }])),
            }),
      };
    }),
    betas: [BETA],
    messages: tools.map(({ server, tool, input = {} }) => ({
      role: 'user',
      content: `Call the tool ${tool} of the server ${server} with this input: ${JSON.stringify(input)}`,
    })),
  };
};
