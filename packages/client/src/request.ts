import {
  CloutError,
  ERRORS,
  ROUTES,
  errorSpec,
  type ErrorCode,
  type RouteName,
  type RouteSpec,
} from '@cloutagent/contract';

export interface ClientOptions {
  /** Origin of the server, such as `http://127.0.0.1:8443`; empty in a page that the server itself serves. */
  readonly baseUrl: string;
  /** Sent as a Bearer token; in a browser the session cookie takes its place. */
  readonly token?: string;
  /** `globalThis.fetch` by default, looked up at each call so that it can be replaced. */
  readonly fetch?: typeof globalThis.fetch;
}

export interface RequestInput {
  readonly params?: Readonly<Record<string, string>> | undefined;
  readonly query?: Readonly<Record<string, string | number | boolean | null | undefined>> | undefined;
  readonly body?: unknown;
}

/** Sends a request; throws the server's error as a `CloutError`, SERVER_UNREACHABLE where none answers, the signal's reason when it is aborted. */
export const sendRequest = async (
  options: ClientOptions,
  name: RouteName,
  input: RequestInput,
  init: { readonly signal?: AbortSignal | undefined; readonly headers?: Readonly<Record<string, string>> },
): Promise<Response> => {
  const route: RouteSpec = ROUTES[name];
  const url = toUrl(options.baseUrl, route.path, input);
  const headers: Record<string, string> = { accept: 'application/json', ...init.headers };
  if (options.token !== undefined) headers['authorization'] = `Bearer ${options.token}`;
  if (route.body !== undefined) headers['content-type'] = 'application/json';
  let response: Response;
  try {
    response = await (options.fetch ?? globalThis.fetch)(url, {
      method: route.method,
      headers,
      ...(route.body === undefined ? {} : { body: JSON.stringify(input.body ?? {}) }),
      ...(init.signal === undefined ? {} : { signal: init.signal }),
    });
  } catch (error) {
    init.signal?.throwIfAborted();
    throw unreachable(options.baseUrl, error);
  }
  if (!response.ok) throw await toError(response);
  return response;
};

/** No server answered, or it went away in the middle of an answer. */
export const unreachable = (baseUrl: string, cause: unknown): CloutError =>
  new CloutError('SERVER_UNREACHABLE', `No answer from the server${baseUrl === '' ? '' : ` at ${baseUrl}`}`, { cause });

const toUrl = (baseUrl: string, path: string, input: RequestInput): string => {
  const filled = path.replaceAll(/:(\w+)/gu, (_, name: string) => {
    const value = input.params?.[name] ?? '';
    // Dot segments would be resolved away before the request leaves, encoded or not, and reach another address.
    if (value === '' || value === '.' || value === '..') {
      throw new CloutError('INVALID_INPUT', `"${value}" cannot be the ${name} of ${path}`);
    }
    return encodeURIComponent(value);
  });
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(input.query ?? {})) {
    if (value !== undefined && value !== null) query.set(name, String(value));
  }
  const text = query.toString();
  return `${baseUrl.replace(/\/+$/u, '')}${filled}${text === '' ? '' : `?${text}`}`;
};

const toError = async (response: Response): Promise<CloutError> => {
  const text = await response.text().catch(() => '');
  // A gateway answers without an envelope when the server behind it is away.
  const code = [502, 503, 504].includes(response.status) ? 'SERVER_UNREACHABLE' : 'UNKNOWN_ERROR';
  return errorFromEnvelope(text) ?? new CloutError(code, `The server answered with status ${response.status}`);
};

/** The error in an envelope, with the server's code, message, hint and details; undefined where the text is none. */
export const errorFromEnvelope = (text: string): CloutError | undefined => {
  let envelope: unknown;
  try {
    envelope = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { error, requestId } = asRecord(envelope);
  const { code, message, hint, details, retryAfter } = asRecord(error);
  if (typeof code !== 'string' || typeof message !== 'string') return undefined;
  // A newer server may know codes that this client does not.
  const known = Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'UNKNOWN_ERROR';
  const shown = {
    ...(details === undefined ? {} : asRecord(details)),
    ...(known === code ? {} : { code }),
    ...(errorSpec(code).status >= 500 && typeof requestId === 'string' ? { requestId } : {}),
  };
  return new CloutError(known, message, {
    ...(typeof hint === 'string' ? { hint } : {}),
    ...(Object.keys(shown).length === 0 ? {} : { details: shown }),
    ...(typeof retryAfter === 'number' ? { retryAfter } : {}),
  });
};

const asRecord = (value: unknown): Readonly<Record<string, unknown>> & { readonly [K in Field]?: unknown } =>
  value !== null && typeof value === 'object' ? { ...value } : {};
type Field = 'error' | 'requestId' | 'code' | 'message' | 'hint' | 'details' | 'retryAfter';
