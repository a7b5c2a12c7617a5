import findMyWay from 'find-my-way';
import type { Route } from './types.ts';

const METHODS = ['GET', 'POST', 'DELETE', 'PUT'] as const;

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** The routes as a tree. */
export interface Routing {
  /** A route without parameters, by its path as declared; a path in another spelling is found by `find`. */
  plain(method: string, path: string): Match | undefined;
  /** HEAD finds GET's route. */
  find(method: string, path: string): Match | undefined;
  /** Methods that the path has, for the Allow header; empty where it has none. */
  allowed(path: string): readonly string[];
}

export const openRouting = (routes: readonly Route[]): Routing => {
  // Slugs may have 200 characters, percent-encoded up to three times that.
  const tree = findMyWay({ caseSensitive: true, maxParamLength: 600 });
  const byKey = new Map<string, Route>();
  for (const route of routes) {
    const key = `${route.method} ${route.path}`;
    byKey.set(key, route);
    tree.on(route.method, route.path, () => undefined, key);
  }
  const plain = new Map<string, Map<string, Match>>(METHODS.map((method) => [method, new Map()]));
  for (const route of routes) {
    // The tree prefers a path without parameters too.
    if (!/[:*(]/u.test(route.path)) plain.get(route.method)?.set(route.path, { route, params: {} });
  }
  const find = (method: string, path: string): Match | undefined => {
    const wanted = METHODS.find((known) => known === (method === 'HEAD' ? 'GET' : method));
    const found = wanted === undefined ? null : tree.find(wanted, path);
    const route = byKey.get(String(found?.store));
    if (found === null || route === undefined) return undefined;
    const params: Record<string, string> = {};
    for (const [name, value] of Object.entries(found.params)) if (value !== undefined) params[name] = value;
    return { route, params };
  };
  return {
    plain: (method, path) => plain.get(method)?.get(path),
    find,
    allowed(path) {
      const methods = METHODS.filter((method) => find(method, path) !== undefined);
      if (methods.length === 0) return [];
      return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'];
    },
  };
};
