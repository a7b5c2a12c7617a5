import { isAbsolute } from 'node:path';
import { CloutError, type McpServerConfig } from '@cloutagent/contract';
import { fillTemplate } from '@cloutagent/kit';
import { INHERITED } from './child-env.ts';
import { isReference, looksSecret } from './secret-value.ts';
import { resolveReference, type SecretSources } from './secret-reference.ts';
import type { Target } from './target.ts';

type Params = Readonly<Record<string, string>>;

/** Every declared parameter has a value and no other has; none can be read as an option. Throws INVALID_INPUT. */
const requireParams = (config: McpServerConfig, params: Params): void => {
  const refuse = (what: string): never => {
    throw new CloutError('INVALID_INPUT', `The MCP server "${config.id}" ${what}`, {
      details: { server: config.id, params: Object.keys(config.params) },
    });
  };
  const stray = Object.keys(params).find((name) => !Object.hasOwn(config.params, name));
  if (stray !== undefined) refuse(`has no parameter "${stray}"`);
  for (const [name, { type }] of Object.entries(config.params)) {
    const value = Object.hasOwn(params, name) ? params[name] : undefined;
    if (value === undefined || value === '') return refuse(`needs a value for its parameter "${name}"`);
    if (value.includes('\0')) refuse(`takes no NUL in its parameter "${name}"`);
    if (type === 'path' && !isAbsolute(value)) refuse(`needs an absolute path for its parameter "${name}"`);
    if (type === 'text' && value.startsWith('-')) refuse(`takes no dash before its parameter "${name}"`);
  }
};

/** What every child is told anyway, and stands in many texts. */
const NO_SECRETS: ReadonlySet<string> = new Set([...INHERITED, 'PWD', 'TMPDIR'].map((name) => `env:${name}`));

/** Whatever is referred to is a secret, by its value, under whatever name. */
const isSecret = (name: string, text: string, isHeader: boolean): boolean =>
  isReference(text) ? !NO_SECRETS.has(text) : looksSecret(name, text, isHeader);

/** What an entry starts or calls, with parameters filled in and secrets looked up. Errors: INVALID_INPUT, SECRET_NOT_FOUND, SECRET_UNREADABLE. */
export const toTarget = async (
  config: McpServerConfig,
  params: Params,
  context: { readonly root: string; readonly secrets: SecretSources },
): Promise<Target> => {
  requireParams(config, params);
  // Only declared names stand for something: other braces are the server's own business.
  const fill = (text: string): string =>
    fillTemplate(text, (name) => (Object.hasOwn(params, name) ? params[name] : undefined));
  const lookUp = async (values: Params): Promise<Record<string, string>> =>
    Object.fromEntries(
      await Promise.all(
        Object.entries(values).map(async ([name, text]) => [name, await resolveReference(fill(text), context.secrets)]),
      ),
    ) as Record<string, string>; // entries of text and text
  /** A header such as `Bearer …` is a secret as a whole, and so is its last word. */
  const secretsOf = (texts: Params, values: Params, isHeader: boolean): readonly string[] =>
    Object.entries(texts)
      .filter(([name, text]) => isSecret(name, fill(text), isHeader))
      .flatMap(([name]) => [values[name] ?? '', values[name]?.split(/\s+/u).at(-1) ?? '']);
  const { startMs, callMs, tools } = config.timeouts;
  const common = { id: config.id, startMs, callMs, toolMs: tools };
  if (config.transport === 'stdio') {
    const { command, args, cwd } = config;
    const env = await lookUp(config.env);
    return {
      ...common,
      secrets: secretsOf(config.env, env, false),
      transport: 'stdio',
      command,
      args: args.map(fill),
      env,
      cwd: cwd === undefined ? context.root : fill(cwd),
    };
  }
  const { transport, url, allowNetworks } = config;
  const headers = await lookUp(config.headers);
  return { ...common, secrets: secretsOf(config.headers, headers, true), transport, url, headers, allowNetworks };
};
