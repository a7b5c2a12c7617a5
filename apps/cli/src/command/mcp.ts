import { CloutError, McpServerConfig, type McpServerAdd } from '@cloutagent/contract';
import type { Command } from 'commander';
import type { Context, Register } from '../context.ts';
import { given, oneOf, wholeNumber } from '../option.ts';
import { showCall, showPresets, showServer, showServers, showTest, showTools } from '../show/mcp.ts';
import { withServer } from '../with-server.ts';

const ID = '<id>';
const ID_HELP = 'id of the server; clout mcp list names them';

export const registerMcp: Register = (program, context) => {
  const mcp = program.command('mcp').description('register, try and use MCP servers');
  registerAdd(mcp, context);
  registerLooking(mcp, context);
  registerUsing(mcp, context);
  registerChanging(mcp, context);
};

interface AddOptions {
  readonly preset?: string;
  readonly command?: string;
  readonly url?: string;
  readonly id?: string;
  readonly title?: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly header: readonly string[];
  readonly allowNetwork: readonly string[];
  readonly param: readonly string[];
  readonly transport?: 'http' | 'sse';
  readonly folder?: string;
  readonly timeout?: number;
  readonly replace?: true;
}

const registerAdd = (mcp: Command, context: Context): void => {
  mcp
    .command('add')
    .description('register an MCP server, by preset, command or address; whoever adds it approves it')
    .option('--preset <name>', 'a server of clout mcp presets, installed in a pinned version')
    .option('--command <program>', 'program to start, without a shell')
    .option('--url <url>', 'address to call')
    .option('--id <id>', 'name it goes by; the preset, the program or the host by default')
    .option('--title <text>', 'what it is for')
    .option('--args <values...>', 'arguments; write --args=--flag for one with a dash', [])
    .option(
      '--env <pairs...>',
      'variables, NAME=VALUE; env:OTHER or file:PATH as a value is looked up at each start, secrets are sealed',
      [],
    )
    .option('--header <pairs...>', 'headers of an address, NAME=VALUE; the same', [])
    .option('--allow-network <networks...>', 'networks that an address may lead to: loopback, or CIDR', [])
    .option('--param <names...>', 'parameters that its users fill in, NAME or NAME:path; {{NAME}} stands for one', [])
    .option('--transport <kind>', 'of an address: http (default) or sse', oneOf('http', 'sse'))
    .option('--folder <dir>', 'folder to start in; the project by default')
    .option('--timeout <ms>', 'limit of one tool call', wholeNumber(100, 3_600_000))
    .option('--replace', 'replace the entry of the same id')
    .action(
      context.action(async (options: AddOptions) => {
        const body = toAdd(options);
        return withServer(context, async (session) => {
          const status = await session.call('mcpServerAdd', { body });
          context.output.result(
            status,
            () => `${showServer(status, context.output.style)}\nTry it: clout mcp test ${status.config.id}`,
          );
          return 0;
        });
      }),
    );
};

const toAdd = (options: AddOptions): McpServerAdd => {
  const { preset, command, url } = options;
  const ways = [preset, command, url].filter((way) => way !== undefined);
  if (ways.length !== 1)
    throw new CloutError('INVALID_INPUT', 'Say what to add with one of --preset, --command and --url', {
      hint: 'clout mcp add --preset filesystem --args PATH',
    });
  const replace = options.replace === true;
  const env = pairs(options.env, '--env');
  if (preset !== undefined) return { preset, args: [...options.args], env, replace, ...given({ id: options.id }) };
  const entry = {
    id: options.id ?? idOf(command ?? url ?? ''),
    ...given({ title: options.title }),
    params: Object.fromEntries(options.param.map(toParam)),
    ...(options.timeout === undefined ? {} : { timeouts: { callMs: options.timeout } }),
  };
  const config =
    command === undefined
      ? {
          ...entry,
          transport: options.transport ?? 'http',
          url,
          headers: pairs(options.header, '--header'),
          allowNetworks: [...options.allowNetwork],
        }
      : { ...entry, transport: 'stdio', command, args: [...options.args], env, ...given({ cwd: options.folder }) };
  const parsed = McpServerConfig.safeParse(config);
  if (parsed.success) return { config: parsed.data, replace };
  const [issue] = parsed.error.issues;
  throw new CloutError('INVALID_INPUT', `${issue?.path.join('.') ?? 'entry'}: ${issue?.message ?? 'not valid'}`, {
    hint: 'clout mcp add --help shows what it takes',
  });
};

const toParam = (text: string): [string, { type: 'path' | 'text' }] => {
  const [name = '', type = 'text'] = text.split(':');
  if (type !== 'path' && type !== 'text')
    throw new CloutError('INVALID_INPUT', `--param ${text}: a parameter is a path or a text, not "${type}"`);
  return [name, { type }];
};

const pairs = (texts: readonly string[], option: string): Record<string, string> =>
  Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      // What was written instead may be a secret: it is not repeated.
      if (at < 1) throw new CloutError('INVALID_INPUT', `${option} takes NAME=VALUE`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );

/** Last part of a path without its ending, or the host of an address, as an id. */
const idOf = (text: string): string => {
  const name =
    URL.canParse(text) && /^https?:/u.test(text)
      ? new URL(text).hostname
      : (text.split(/[\\/]/u).at(-1) ?? '').replace(/\.\w+$/u, '');
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/gu, '-')
    .replace(/^-+/u, '')
    .slice(0, 32);
};

const registerLooking = (mcp: Command, context: Context): void => {
  const { output } = context;
  mcp
    .command('list')
    .description('the registered servers, whether they are approved, and how they are')
    .action(
      context.action(async () =>
        withServer(context, async (session) => {
          const answer = await session.call('mcpServers');
          output.result(answer, () => showServers(answer.servers, output.style));
          return 0;
        }),
      ),
    );
  mcp
    .command('presets')
    .description('servers that can be added by name')
    .action(
      context.action(async () =>
        withServer(context, async (session) => {
          const answer = await session.call('mcpPresets');
          output.result(answer, () => showPresets(answer.presets, output.style));
          return 0;
        }),
      ),
    );
};

const registerUsing = (mcp: Command, context: Context): void => {
  const { output } = context;
  mcp
    .command('test')
    .argument(ID, ID_HELP)
    .description('start or call a server, list its tools and end it again')
    .action(
      context.action(async (id: string) =>
        withServer(context, async (session) => {
          const answer = await session.call('mcpServerTest', { params: { id }, body: {} });
          output.result(answer, () => showTest(answer.steps, output.style));
          return answer.success ? 0 : 7;
        }),
      ),
    );
  mcp
    .command('tools')
    .argument(ID, ID_HELP)
    .description('the approved tools of a server, and what differs from them')
    .action(
      context.action(async (id: string) =>
        withServer(context, async (session) => {
          const answer = await session.call('mcpServerTools', { params: { id } });
          output.result(answer, () => showTools(answer, output.style));
          return 0;
        }),
      ),
    );
  mcp
    .command('call')
    .argument(ID, ID_HELP)
    .argument('<tool>', 'name of the tool')
    .argument('[input]', 'arguments of the tool, a JSON object', '{}')
    .option('--timeout <ms>', 'limit of this call', wholeNumber(100, 3_600_000))
    .description('call one tool; exit code 1 where the tool says that it failed')
    .action(
      context.action(async (id: string, tool: string, text: string, options: { timeout?: number }) => {
        const input = toInput(text);
        return withServer(context, async (session) => {
          const answer = await session.call('mcpToolCall', {
            params: { id },
            body: { tool, input, ...given({ timeoutMs: options.timeout }) },
          });
          output.result(answer, () => showCall(answer));
          return answer.isError ? 1 : 0;
        });
      }),
    );
};

const toInput = (text: string): Record<string, unknown> => {
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch (cause) {
    throw new CloutError('INVALID_INPUT', 'The arguments of the tool are not valid JSON', { cause });
  }
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw new CloutError('INVALID_INPUT', 'The arguments of the tool are not a JSON object');
  return { ...input };
};

const registerChanging = (mcp: Command, context: Context): void => {
  const { output } = context;
  mcp
    .command('rekey')
    .description('seal the secrets of all servers with another key')
    .action(
      context.action(async () =>
        withServer(context, async (session) => {
          const answer = await session.call('mcpRekey');
          output.result(answer, () => `${answer.secrets} secrets are sealed with another key.`);
          return 0;
        }),
      ),
    );
  mcp
    .command('remove')
    .argument(ID, ID_HELP)
    .description('forget a server and end its connections')
    .action(
      context.action(async (id: string) =>
        withServer(context, async (session) => {
          const answer = await session.call('mcpServerRemove', { params: { id } });
          output.result(answer, () => `${id} was removed.`);
          return 0;
        }),
      ),
    );
  mcp
    .command('approve')
    .argument(ID, ID_HELP)
    .option('--digest <digest>', 'refuse if the entry is another than the one that was looked at')
    .description('approve a server as it is now, and the tools that it offers now')
    .action(
      context.action(async (id: string, options: { digest?: string }) =>
        withServer(context, async (session) => {
          const status = await session.call('mcpServerApprove', { params: { id }, body: given(options) });
          output.result(status, () => showServer(status, output.style));
          return 0;
        }),
      ),
    );
};
