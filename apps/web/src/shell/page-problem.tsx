import { ProblemBox } from '../ui/problem-box.tsx';
import { Page } from './page.tsx';

/** Shown in place of a page that threw. */
export const PageProblem = ({ error, reset }: { readonly error: unknown; readonly reset: () => void }) => (
  <Page title="Problem">
    <ProblemBox error={error} onRetry={reset} className="mt-10" />
  </Page>
);
