import { Link } from '@tanstack/react-router';
import { cx } from '../ui/class-names.ts';
import type { ChangesView } from '../search.ts';

const VIEWS: readonly { readonly id: ChangesView; readonly label: string }[] = [
  { id: 'active', label: 'Active' },
  { id: 'attention', label: 'Needs attention' },
  { id: 'ready', label: 'Ready to archive' },
  { id: 'all', label: 'All' },
];

interface ViewFilterProps {
  readonly view: ChangesView;
  readonly search: string;
  readonly counts: Readonly<Record<ChangesView, number>> | undefined;
}

/** Views as links, so that each has an address. */
export const ViewFilter = ({ view, search, counts }: ViewFilterProps) => (
  <nav aria-label="Views" className="flex gap-1 overflow-x-auto">
    {VIEWS.map(({ id, label }) => (
      <Link
        key={id}
        to="/"
        search={search === '' ? { view: id } : { view: id, q: search }}
        aria-current={view === id ? 'true' : undefined}
        className={cx(
          'inline-flex h-8 items-center gap-1.5 rounded-md px-2.5 font-medium whitespace-nowrap outline-offset-[-2px]',
          view === id ? 'bg-sunken text-ink' : 'text-ink-3 hover:bg-hover hover:text-ink',
        )}
      >
        {label}
        {counts === undefined ? null : <span className="tnum text-xs font-normal text-ink-3">{counts[id]}</span>}
      </Link>
    ))}
  </nav>
);
