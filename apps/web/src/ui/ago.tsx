import { useNow } from './use-now.ts';
import { showAgo } from './time.ts';

/** Ages are shown in minutes, so once in half a minute is often enough. */
const TICK_MS = 30_000;

export const Ago = ({ at, className }: { readonly at: string; readonly className?: string }) => (
  <time dateTime={at} title={new Date(at).toLocaleString()} className={className}>
    {showAgo(at, useNow(TICK_MS))}
  </time>
);
