import { Link } from '@tanstack/react-router';
import { buttonClass } from '../ui/button.tsx';
import { Page } from './page.tsx';

export const NotFoundPage = () => (
  <Page title="Not found">
    <h1 className="mt-10 text-xl font-semibold">There is nothing at this address</h1>
    <p className="mt-1 mb-4 text-ink-2">The change or run may have been renamed, or the link was cut short.</p>
    <Link to="/" className={buttonClass('plain')}>
      Back to the changes
    </Link>
  </Page>
);
