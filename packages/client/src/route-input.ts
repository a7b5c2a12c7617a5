import type { ROUTES, RouteName } from '@cloutagent/contract';

type Spec<N extends RouteName> = (typeof ROUTES)[N];

/** What a schema takes before defaults and transforms, and what it gives (zod's own `z.input` and `z.output`). */
type Taken<T> = T extends { readonly _zod: { readonly input: infer I } } ? I : never;
type Given<T> = T extends { readonly _zod: { readonly output: infer O } } ? O : never;

type PathParams<P extends string> = P extends `${string}:${infer Name}/${infer Rest}`
  ? Name | PathParams<Rest>
  : P extends `${string}:${infer Name}`
    ? Name
    : never;

/** A coerced number takes anything; a person who calls means a number or its digits. */
type QueryValues<T> = { [K in keyof T]: unknown extends T[K] ? string | number | undefined : T[K] | undefined };

type Params<N extends RouteName> = [PathParams<Spec<N>['path']>] extends [never]
  ? { readonly params?: undefined }
  : { readonly params: { readonly [K in PathParams<Spec<N>['path']>]: string } };
type Query<N extends RouteName> =
  Spec<N> extends { readonly query: infer Q }
    ? { readonly query?: QueryValues<Taken<Q>> }
    : { readonly query?: undefined };
type Body<N extends RouteName> =
  Spec<N> extends { readonly body: infer B } ? { readonly body: Taken<B> } : { readonly body?: undefined };

/** Routes that answer with one JSON document; streams have methods of their own. */
export type CallableRoute = { [N in RouteName]: Spec<N>['output'] extends 'sse' ? never : N }[RouteName];

/** The `:names` of the path, the query and the body of a route, as its schemas take them. */
export type RouteInput<N extends RouteName> = Params<N> & Query<N> & Body<N>;

/** What a route answers, parsed. */
export type RouteOutput<N extends RouteName> = Given<Spec<N>['output']>;
