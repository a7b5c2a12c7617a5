import { ENVIRONMENT, ERRORS, ROUTES, RunEventBody, TOOLS } from '@cloutagent/contract';
import { fields, table } from './fields.mjs';

export const GENERATED = '<!-- Made from the code by `npm run reference`; edits are lost. -->';
const page = (title, ...parts) => `${[GENERATED, `# ${title}`, ...parts].join('\n\n')}\n`;

const EXIT_CODES = [
  ['0', 'done'],
  ['1', 'failed'],
  ['2', 'wrong usage or input'],
  ['3', 'not found'],
  ['4', 'conflict'],
  ['5', 'not allowed'],
  ['6', 'paused and waiting for a decision'],
  ['7', 'temporarily impossible'],
];

const errors = () =>
  page(
    'Errors',
    'Every surface (HTTP, SSE, NDJSON, MCP, command line) looks an error up in this one table. Match an error by its code; messages may change.',
    table(
      ['code', 'HTTP status', 'retry can help', 'exit code', 'hint'],
      Object.entries(ERRORS).map(([code, { status, retryable, exit, hint }]) => [
        `\`${code}\``,
        status,
        retryable ? 'yes' : 'no',
        exit,
        hint,
      ]),
    ),
    '## Exit codes',
    table(['exit code', 'meaning'], EXIT_CODES),
    '## Envelope',
    [
      '```json',
      JSON.stringify(
        {
          apiVersion: '1.0.0',
          error: { code: 'CHANGE_NOT_FOUND', message: '…', hint: ERRORS.CHANGE_NOT_FOUND.hint },
          requestId: 'req_…',
          timestamp: '2026-11-02T09:00:00.000Z',
        },
        undefined,
        2,
      ),
      '```',
    ].join('\n'),
    '`details` and `retryAfter` (whole seconds) are there where they say something.',
  );

const route = ([name, { method, path, scope, summary, ...spec }]) =>
  [
    `## ${method} ${path}`,
    `${summary}. Scope: \`${scope}\`. Name: \`${name}\`.`,
    ...('query' in spec ? ['Query:', fields(spec.query, 'input')] : []),
    ...('body' in spec ? ['Body:', fields(spec.body, 'input')] : []),
    ...(spec.output === 'sse'
      ? ['Answer: a stream of server-sent events, see [events](events.md).']
      : ['Answer:', fields(spec.output, 'output')]),
  ].join('\n\n');

const routes = () =>
  page(
    'Routes',
    'The API of `clout up`. Answers are JSON; errors have the [envelope](errors.md#envelope). Send a token as `Authorization: Bearer …`.',
    ...Object.entries(ROUTES).map(route),
  );

const HINTS = {
  readOnlyHint: 'reads only',
  destructiveHint: 'changes what is there',
  idempotentHint: 'may be repeated',
  openWorldHint: 'reaches beyond the project',
};

const tool = ({ name, title, description, scope, annotations, ...spec }) =>
  [
    `## ${name}`,
    `${title}. ${description}`,
    `Scope: \`${scope}\`. Annotations: ${
      Object.entries(HINTS)
        .filter(([hint]) => annotations[hint])
        .map(([, word]) => word)
        .join(', ') || 'none'
    }.`,
    'Input (`null` in an optional field means absent):',
    fields(spec.input, 'input'),
    ...('output' in spec ? ['Structured output:', fields(spec.output, 'output')] : []),
  ].join('\n\n');

const tools = () =>
  page(
    'Tools',
    'The tools of the Task MCP server, on stdio and over HTTP (`POST /sse` answers as server-sent events, `POST /mcp` as lines of JSON).',
    ...Object.values(TOOLS).map(tool),
  );

const events = () =>
  page(
    'Events',
    'What `GET /api/runs/:id/events` streams. The SSE event `run` carries one stored event `{seq, runId, at, body}`; its id is `seq`, gap-free from 1, so a reader that comes back with `Last-Event-ID` misses nothing. `text` carries text as it streams: `{runId, step, text, snapshot}`, never stored; a late reader gets one with `snapshot: true` that replaces what it had. `heartbeat` and `shutdown` say what their names say.',
    'Order: `run.state (task.started (model.started text* model.finished (tool.started tool.finished)*)+ check.finished* task.finished)* run.state`.',
    ...RunEventBody.options.map((option) =>
      [`## ${option.shape.type.value}`, fields(option.omit({ type: true }), 'output')].join('\n\n'),
    ),
  );

const environment = () =>
  page(
    'Environment',
    'Every variable that the programs read. Precedence: flag, environment, `.cloutagent/config.yaml`, default.',
    table(
      ['variable', 'meaning; default'],
      Object.entries(ENVIRONMENT).map(([name, text]) => [`\`${name}\``, text]),
    ),
  );

/** The reference: file name below docs/reference → its text. */
export const makeReference = () => ({
  'errors.md': errors(),
  'routes.md': routes(),
  'tools.md': tools(),
  'events.md': events(),
  'environment.md': environment(),
});
