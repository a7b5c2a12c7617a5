/**
 * One table of error codes. HTTP status, whether a retry can help, the hint that is shown when the thrower gives
 * none, and the CLI's exit code are looked up here by every surface (seed 002 "Comprehensive Error Codes").
 *
 * Exit codes: 0 done, 1 failed, 2 wrong usage or input, 3 not found, 4 conflict, 5 not allowed,
 * 6 paused and waiting for a decision, 7 temporarily impossible.
 */
export interface ErrorSpec {
  readonly status: number;
  readonly retryable: boolean;
  readonly exit: number;
  readonly hint: string;
}

const spec = (status: number, exit: number, hint: string, retryable = false): ErrorSpec => ({
  status,
  retryable,
  exit,
  hint,
});

export const ERRORS = {
  // Requests
  VALIDATION_ERROR: spec(400, 2, 'Check request body and parameters'),
  INVALID_INPUT: spec(400, 2, 'Check the input schema and try again'),
  INVALID_TOOL_NAME: spec(400, 2, 'A tool name is letters, digits, dots, dashes and underscores, such as change.open'),
  TOOL_NOT_FOUND: spec(404, 3, 'Use one of the available tools; tools/list names them'),
  NOT_FOUND: spec(404, 3, 'Check the address; GET / lists the endpoints'),
  METHOD_NOT_ALLOWED: spec(405, 2, 'Use one of the methods named in the Allow header'),
  PAYLOAD_TOO_LARGE: spec(413, 2, 'Send a smaller body'),
  UNSUPPORTED_MEDIA_TYPE: spec(415, 2, 'Send Content-Type: application/json'),
  RESPONSE_TOO_LARGE: spec(413, 2, 'Consider using pagination or reducing the amount of data requested'),
  REQUEST_TIMEOUT: spec(504, 7, 'Try reducing the complexity of your request or check server performance', true),
  RATE_LIMIT_EXCEEDED: spec(429, 7, 'Wait for the time in Retry-After and try again', true),
  SHUTTING_DOWN: spec(503, 7, 'The server is stopping; try again in a moment', true),
  SERVER_UNREACHABLE: spec(503, 7, 'Look whether the server is still running; clout up starts one', true),
  // Who
  AUTHENTICATION_FAILED: spec(401, 5, 'Provide a valid Bearer token in the Authorization header'),
  FORBIDDEN: spec(403, 5, 'This needs a token with a wider scope; the administrator token is in .cloutagent/token'),
  // Tools
  TOOL_REGISTRY_UNAVAILABLE: spec(500, 1, 'Retry later', true),
  TOOL_EXECUTION_ERROR: spec(500, 1, 'Check the server log for this request id'),
  INVALID_TOOL_RESULT: spec(500, 1, 'This is a defect of the server; report it with the request id'),
  INTERNAL_ERROR: spec(500, 1, 'This is a defect of the server; report it with the request id'),
  UNKNOWN_ERROR: spec(500, 1, 'Check the server log for this request id'),
  NOT_IMPLEMENTED: spec(501, 2, 'This version does not do that yet; nothing was changed'),
  // Changes
  CHANGE_NOT_FOUND: spec(404, 3, 'clout change list names the changes that exist'),
  CHANGE_ALREADY_EXISTS: spec(409, 4, 'Choose a different slug or archive the existing change'),
  CHANGE_ALREADY_ARCHIVED: spec(409, 4, 'The change is in openspec/changes/archive; open a new change instead'),
  CHANGE_CONFLICT: spec(409, 4, 'The specification was changed meanwhile; compare both texts and edit the delta'),
  CHANGE_LOCKED: spec(409, 4, 'Another owner holds this change; wait for its lease to end or ask the owner'),
  CHANGE_INVALID: spec(422, 2, 'clout change validate lists what is wrong and where'),
  CHANGE_TASKS_INCOMPLETE: spec(409, 4, 'Finish the open tasks, or archive with allowIncomplete'),
  TEMPLATE_NOT_FOUND: spec(404, 3, 'Use one of: feature, bugfix, chore'),
  RESOURCE_NOT_FOUND: spec(404, 3, 'resources/list names the resources that exist'),
  PROJECT_NOT_FOUND: spec(404, 3, 'Run this in a folder that has an openspec folder, or name one with --cwd'),
  // Storage
  STORAGE_FULL: spec(507, 7, 'Free some disk space and try again', true),
  STORAGE_READONLY: spec(507, 5, 'Make the folder writable and try again'),
  STORAGE_NEWER: spec(
    500,
    1,
    'The data was written by a newer version; update CloutAgent, or go back to a backup of before',
  ),
  STORAGE_BUSY: spec(
    503,
    7,
    'Too much is waiting for the database, or a foreign program holds it; try again in a moment',
    true,
  ),
  STORAGE_CORRUPT: spec(
    500,
    1,
    'Stop CloutAgent, put .cloutagent/store.db* aside and copy a backup there: docs/backup.md',
  ),
  STORAGE_FAILED: spec(
    500,
    1,
    'Look at the server log for the cause, then start CloutAgent again; what was confirmed is kept',
  ),
  DATA_FOLDER_IN_USE: spec(409, 4, 'Another CloutAgent process owns this data folder; use it, or stop it'),
  // Runs and money
  RUN_NOT_FOUND: spec(404, 3, 'clout runs list names the runs that exist'),
  RUN_EXISTS: spec(409, 4, 'One run per change at a time; watch or resume the live one'),
  RUN_NOT_RESUMABLE: spec(409, 4, 'Only a paused, interrupted or waiting run can be resumed'),
  NOTHING_TO_RUN: spec(409, 4, 'Every task of this change is done; archive it'),
  BUDGET_EXHAUSTED: spec(402, 6, 'Raise the budget and resume: clout runs resume RUN --budget USD'),
  PRICE_UNKNOWN: spec(422, 2, 'Only models in the price table can run under a budget; clout plan --model lists them'),
  BOUND_UNKNOWN: spec(
    422,
    2,
    'Leave out what has no upper bound, such as a PDF or a server tool without max_uses, or use a server that counts tokens',
  ),
  MODEL_RETIRED: spec(422, 2, 'Choose a model that the provider still serves'),
  MODEL_KEY_MISSING: spec(422, 5, 'Set ANTHROPIC_API_KEY, or run with --simulate to try it without a key'),
  MODEL_REQUEST_REFUSED: spec(502, 1, 'The model server refused the request; its message says why'),
  MODEL_RATE_LIMITED: spec(502, 7, 'The model server takes no more requests just now; the run can be resumed', true),
  MODEL_ACCOUNT_LIMIT: spec(502, 5, "Look at the billing of the API key's account and at its limits"),
  MODEL_UNAVAILABLE: spec(502, 7, 'The model server did not answer; the run can be resumed', true),
  MODEL_REFUSED: spec(502, 1, 'The model declined this request; reword the task'),
  MAX_ITERATIONS: spec(500, 1, 'The agent used all its turns; split the task or raise maxIterations'),
  TASK_FAILED: spec(500, 1, 'Read the evidence of the task, mend it, and run again'),
  EFFECT_UNKNOWN: spec(
    409,
    6,
    'Look whether the call took effect, then resume with --unknown repeat or --unknown skip',
  ),
  APPROVAL_NOT_FOUND: spec(404, 3, 'clout runs show RUN names the approvals that a run waits for'),
  APPROVAL_DECIDED: spec(409, 4, 'The first decision holds; nothing was changed'),
  APPROVAL_EXPIRED: spec(409, 4, 'Nobody decided in time; fork the run from the node to ask again'),
  APPROVAL_CHANGED: spec(409, 4, 'Look at the approval again: what it asks is not what you decided about'),
  RUN_CANCELLING: spec(409, 4, 'The run is being cancelled; nothing more can be done with it'),
  SIGNALLED: spec(409, 1, 'What the run wanted to wait for has come already; it goes on'),
  WORKFLOW_INVALID: spec(422, 2, 'Each finding names its node; mend the document and try again'),
  WORKFLOW_NOT_FOUND: spec(
    404,
    3,
    'clout workflow list names the stored workflows, clout workflow show NAME their versions',
  ),
  EXPRESSION_INVALID: spec(422, 2, 'A condition compares texts and numbers: length(input) > 10 and kind == "a"'),
  NODE_FAILED: spec(500, 1, 'Look at the steps of the node; clout runs fork RUN --from NODE tries it again from there'),
  NODE_TIMEOUT: spec(504, 1, 'Raise timeoutMs of the node, or give it less to do', true),
  APPROVAL_DENIED: spec(409, 1, 'A person denied this; the reason stands beside it'),
  STEP_NOT_FOUND: spec(404, 3, 'clout runs show RUN names the steps of a run'),
  PAUSED: spec(409, 6, 'Go on with it: clout runs resume RUN'),
  DIVERGED: spec(409, 1, 'The input of a finished step has changed since; start a new run'),
  FENCED: spec(409, 1, 'Another worker took this run over; nothing is lost'),
  MCP_CONNECTION_FAILED: spec(502, 7, 'Check the command of the MCP server and its stderr', true),
  MCP_SERVER_NOT_FOUND: spec(404, 3, 'clout mcp list names the registered servers'),
  MCP_SERVER_EXISTS: spec(409, 4, 'Choose another id, or replace the entry: clout mcp add … --replace'),
  MCP_INSTALL_FAILED: spec(502, 7, 'Look at what npm said, in the details; npm has to reach its registry', true),
  MCP_NOT_APPROVED: spec(403, 5, 'An administrator looks at it and approves it: clout mcp approve ID'),
  MCP_QUARANTINED: spec(503, 7, 'The server crashed too often; mend it, it is tried again by itself', true),
  MCP_ADDRESS_REFUSED: spec(
    403,
    5,
    'Only public addresses are called; an administrator may allow a network in the entry of the server (allowNetworks)',
  ),
  SECRET_NOT_FOUND: spec(422, 5, 'Set the variable or write the file that the entry of the server refers to'),
  SECRET_UNREADABLE: spec(422, 5, 'Bring back the key of the secrets, or add the servers with secrets again'),
  NOT_TRUSTED: spec(403, 5, 'Look at what the folder would run, then: clout trust'),
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERRORS;

/** Looks a code up; unknown codes are treated as `UNKNOWN_ERROR`. */
export const errorSpec = (code: string): ErrorSpec =>
  Object.hasOwn(ERRORS, code) ? ERRORS[code as ErrorCode] : ERRORS.UNKNOWN_ERROR;

export interface CloutErrorOptions {
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
  /** Whole seconds until a retry can succeed. */
  readonly retryAfter?: number;
}

/** The one error that may be shown to a caller. Match it by `code`, never by class or message. */
export class CloutError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string, options: CloutErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CloutError';
    this.code = code;
    this.hint = options.hint ?? ERRORS[code].hint;
    this.details = options.details;
    this.retryAfter = options.retryAfter;
  }
}

/** Code of any thrown value, or undefined where it is not one of ours. */
export const codeOf = (error: unknown): ErrorCode | undefined => {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const { code } = error;
  return typeof code === 'string' && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : undefined;
};

export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly retryAfter?: number;
}

/** What a caller may see of any thrown value: unknown errors show nothing of themselves. */
export const toErrorBody = (error: unknown): ErrorBody => {
  const code = codeOf(error);
  if (code === undefined || !(error instanceof Error)) {
    return { code: 'INTERNAL_ERROR', message: 'Internal server error', hint: ERRORS.INTERNAL_ERROR.hint };
  }
  const known = error as Partial<CloutError> & Error;
  return {
    code,
    message: error.message,
    hint: known.hint ?? ERRORS[code].hint,
    ...(known.details === undefined ? {} : { details: known.details }),
    ...(known.retryAfter === undefined ? {} : { retryAfter: known.retryAfter }),
  };
};

/** The envelope of seed 002 "HTTP Error Response". `timestamp` is ISO 8601. */
export interface ErrorEnvelope {
  readonly apiVersion: string;
  readonly error: ErrorBody;
  readonly requestId: string;
  readonly timestamp: string;
}
