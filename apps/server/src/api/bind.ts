import { CloutError, ROUTES, type RouteName } from '@cloutagent/contract';
import type { Reply, RequestContext, Route } from '@cloutagent/http';
import type * as z from 'zod';

type Spec<N extends RouteName> = (typeof ROUTES)[N];
type Parsed<S, K extends 'query' | 'body'> = S extends Record<K, infer T extends z.ZodType> ? z.output<T> : undefined;
/** Rooms give out readonly values; what is only serialised may be. */
type DeepReadonly<T> = T extends readonly (infer I)[]
  ? readonly DeepReadonly<I>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;
type Answer<S> = S extends { readonly output: infer T extends z.ZodType } ? DeepReadonly<z.input<T>> : Reply;

export interface RouteInput<N extends RouteName> {
  readonly context: RequestContext;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Parsed<Spec<N>, 'query'>;
  readonly body: Parsed<Spec<N>, 'body'>;
}

/** A handler gets parsed input and returns the output's value, or a whole reply where it sets headers or streams. */
export type Handlers = {
  readonly [N in RouteName]: (input: RouteInput<N>) => Promise<Answer<Spec<N>> | Reply> | Answer<Spec<N>> | Reply;
};

const parse = (schema: z.ZodType | undefined, value: unknown, where: string): unknown => {
  if (schema === undefined) return undefined;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') || where;
  throw new CloutError('INVALID_INPUT', `Invalid ${where}: ${field}: ${issue?.message ?? 'not valid'}`, {
    details: { field, issue: issue?.message },
  });
};

const isReply = (value: unknown): value is Reply =>
  typeof value === 'object' &&
  value !== null &&
  'kind' in value &&
  ['json', 'text', 'empty', 'stream'].includes(String(value.kind));

/** No body is an empty one: many requests need to say nothing. */
const bodyOf = async (context: RequestContext): Promise<unknown> => {
  const body = await context.readJson();
  return body === undefined ? {} : body;
};

/** Joins the contract's routes with their handlers. */
export const bindRoutes = (handlers: Handlers): readonly Route[] =>
  Object.entries(ROUTES).map(([name, spec]): Route => {
    const handle = handlers[name as RouteName] as (input: unknown) => unknown;
    return {
      method: spec.method,
      path: spec.path,
      scope: spec.scope,
      ...('timed' in spec ? { timed: spec.timed } : {}),
      ...('oldCookies' in spec ? { oldCookies: spec.oldCookies } : {}),
      handler: async (context) => {
        const query = parse(
          'query' in spec ? spec.query : undefined,
          Object.fromEntries(context.url.searchParams),
          'query',
        );
        const body = 'body' in spec ? parse(spec.body, await bodyOf(context), 'body') : undefined;
        const answer = await handle({ context, params: context.params, query, body });
        return isReply(answer) ? answer : { kind: 'json', body: answer };
      },
    };
  });

/** Streams and creations answer with more than a value. */
export const created = (body: unknown): Reply => ({ kind: 'json', status: 201, body });
