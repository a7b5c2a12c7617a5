/**
 * What no test names yet, in the order of the contract. The lists must equal the truth, so they can only shrink:
 * whoever adds a code, a route, an event or a variable tests it.
 */
export const UNTESTED: Readonly<Record<'errors' | 'routes' | 'events' | 'environment', readonly string[]>> = {
  errors: [],
  routes: [],
  events: [],
  environment: [],
};
