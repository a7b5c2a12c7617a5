import { systemClock } from '@cloutagent/kit';
import { openHttpServer } from '@cloutagent/mcp';
import { withAuthorization } from './authorize.mjs';

// node client.mjs URL: our MCP client as the suite calls it; MCP_CONFORMANCE_SCENARIO says what is looked at.

const url = process.argv.at(-1) ?? '';
const scenario = process.env['MCP_CONFORMANCE_SCENARIO'] ?? '';
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}');
const log = process.env['CONFORMANCE_LOG'] ? (...line) => console.error(...line) : () => undefined;

const valueFor = ({ type, default: given, enum: words }) => {
  if (given !== undefined) return given;
  if (words !== undefined) return words[0];
  if (type === 'number' || type === 'integer') return 5;
  if (type === 'boolean') return true;
  if (type === 'array') return [];
  if (type === 'object') return {};
  return 'text';
};

/** Arguments that a schema asks for. */
const argumentsFor = ({ properties = {}, required = [] }) =>
  Object.fromEntries(required.map((name) => [name, valueFor(properties[name] ?? {})]));

const options = () => ({ signal: AbortSignal.timeout(20_000), idempotencyKey: crypto.randomUUID() });

/** Looks at everything that the server has and calls every tool. */
const useAll = async (connection) => {
  const calls =
    context.toolCalls ??
    connection.tools().map(({ name, inputSchema }) => ({ name, arguments: argumentsFor(inputSchema) }));
  for (const { name, arguments: input } of calls) {
    const result = await connection.call(name, input, options()).catch((error) => error);
    log('called', name, JSON.stringify(result), String(result.cause ?? ''));
  }
  if (scenario.startsWith('auth/')) return;
  try {
    for (const { uri } of await connection.resources()) await connection.readResource(uri);
    for (const { name } of await connection.prompts()) await connection.prompt(name, {});
  } catch (error) {
    log('looked', String(error));
  }
};

const connection = await openHttpServer(
  { transport: 'http', id: 'suite', url, headers: {}, allowNetworks: ['loopback'], startMs: 20_000 },
  {
    env: {},
    clock: systemClock,
    log,
    elicit: async () => ({ action: 'accept', content: {} }),
    ...(scenario.startsWith('auth/') ? { middleware: withAuthorization(url, scenario, context) } : {}),
  },
);
try {
  await useAll(connection);
} finally {
  await connection.close();
}
