export { AUTH_COOKIE, principalOf, tokenTable, type TokenTable } from './authenticate.ts';
export { parseJson } from './body.ts';
export { createFront } from './front.ts';
export { isLoopback } from './site.ts';
export type {
  FormatError,
  Front,
  FrontOptions,
  Handler,
  Log,
  Reply,
  RequestContext,
  Route,
  StreamWriter,
} from './types.ts';
