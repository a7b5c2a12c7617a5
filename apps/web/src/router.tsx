import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { ChangesPage } from './changes/changes-page.tsx';
import { toChangeSearch, toChangesSearch, toCostsSearch, toRunSearch } from './search.ts';
import { NotFoundPage } from './shell/not-found.tsx';
import { PageProblem } from './shell/page-problem.tsx';
import { Shell } from './shell/shell.tsx';

const rootRoute = createRootRoute({ component: Shell, notFoundComponent: NotFoundPage, errorComponent: PageProblem });

const changesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  validateSearch: toChangesSearch,
  component: ChangesPage,
});

const changeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/changes/$slug',
  validateSearch: toChangeSearch,
  // A page of its own loads when it is first asked for; the list of changes is what opens first.
  component: lazyRouteComponent(() => import('./change/change-page.tsx'), 'ChangePage'),
});

const runRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/runs/$id',
  validateSearch: toRunSearch,
  component: lazyRouteComponent(() => import('./run/run-page.tsx'), 'RunPage'),
});

const costsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/costs',
  validateSearch: toCostsSearch,
  component: lazyRouteComponent(() => import('./costs/costs-page.tsx'), 'CostsPage'),
});

const routeTree = rootRoute.addChildren([changesRoute, changeRoute, runRoute, costsRoute]);

export const createAppRouter = () => createRouter({ routeTree, defaultPreload: 'intent', scrollRestoration: false });

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
