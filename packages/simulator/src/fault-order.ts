import { isWhole } from './number.ts';
import type { ErrorReply, Fault, Speech } from './scenario.ts';

/** One thing that goes wrong on demand: by header `x-cloutagent-fault` or through `POST /simulator/faults`. */
export interface FaultOrder {
  /** As it was asked for. */
  readonly text: string;
  /** Changes what the scenario answers into what the client meets. */
  readonly apply: (speech: Speech) => Speech | Fault | { readonly error: ErrorReply };
}

type Parameters = Readonly<Record<string, string>>;
type Kind = (parameters: Parameters) => FaultOrder['apply'];

const SLOW_MS = 3000;
const SLOW_TOKEN_MS = 250;

/** Number of a parameter; throws where it is none. */
const whole = (parameters: Parameters, name: string, otherwise: number): number => {
  const text = parameters[name];
  if (text === undefined) return otherwise;
  if (!isWhole(text)) throw new Error(`${name} must be a whole number`);
  return Number(text);
};

const after = (parameters: Parameters): { readonly afterDeltas?: number } =>
  parameters['after'] === undefined ? {} : { afterDeltas: whole(parameters, 'after', 0) };

const breaking =
  (fault: Fault['fault']): Kind =>
  (parameters) => {
    const place = after(parameters);
    return (speech) => ({ ...speech, fault, ...place });
  };

const errorOf = (status: number, parameters: Parameters): ErrorReply => ({
  status,
  ...(parameters['retry-after'] === undefined ? {} : { retryAfter: parameters['retry-after'] }),
  ...(parameters['type'] === undefined ? {} : { type: parameters['type'] }),
  ...(parameters['error-code'] === undefined ? {} : { errorCode: parameters['error-code'] }),
  ...(parameters['message'] === undefined ? {} : { message: parameters['message'].replaceAll('{{', String.raw`\{{`) }),
});

/** Kinds with a name; an HTTP status from 400 to 599 is a kind too. */
const KINDS: Readonly<Record<string, Kind>> = {
  drop: breaking('drop'),
  stall: breaking('stall'),
  truncate: breaking('truncate'),
  'broken-json': breaking('broken-json'),
  'midstream-error': (parameters) => {
    const broken = { error: errorOf(whole(parameters, 'status', 529), parameters), ...after(parameters) };
    return (speech) => ({ ...speech, fault: 'midstream-error', ...broken });
  },
  'spend-cap': () => () => ({
    error: { status: 429, errorCode: 'enforced_spend_limit_reached', message: 'Spend limit reached (simulated)' },
  }),
  'slow-headers': (parameters) => {
    const delayMs = whole(parameters, 'ms', SLOW_MS);
    return (speech) => ({ ...speech, delayMs });
  },
  'slow-first-token': (parameters) => {
    const firstTokenMs = whole(parameters, 'ms', SLOW_MS);
    return (speech) => ({ ...speech, firstTokenMs });
  },
  'slow-tokens': (parameters) => {
    const perTokenMs = whole(parameters, 'ms', SLOW_TOKEN_MS);
    return (speech) => ({ ...speech, perTokenMs });
  },
};

export const FAULT_KINDS: readonly string[] = Object.keys(KINDS);

/** `KIND; name=value; …`, such as `429; retry-after=2` or `stall; after=3`; a message where it is none. */
export const parseFault = (text: string): FaultOrder | { readonly problem: string } => {
  const [kind = '', ...rest] = text.split(';').map((part) => part.trim());
  const parameters = Object.fromEntries(
    rest.filter((part) => part !== '').map((part) => part.split(/=(.*)/su, 2).map((word) => word.trim())),
  ) as Parameters;
  const status = isWhole(kind) ? Number(kind) : 0;
  try {
    if (status >= 400 && status <= 599) {
      const error = errorOf(status, parameters);
      return { text, apply: () => ({ error }) };
    }
    const named = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
    if (named === undefined) {
      return {
        problem: `${kind.slice(0, 40)} is no fault; there are an HTTP status from 400 to 599, ${FAULT_KINDS.join(', ')}`,
      };
    }
    return { text, apply: named(parameters) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
};
