/** The lane as a mark: two strands become one, and end in a tick. */
export const Logo = ({ size = 22 }: { readonly size?: number }) => (
  <svg width={size} height={size} viewBox="0 0 24 24" fill="none" aria-hidden>
    <path d="M2.5 7h5c5 0 3.5 6.5 8 6.5" stroke="var(--ink-3)" strokeWidth="2" strokeLinecap="round" />
    <path d="M2.5 17h5c2.6 0 3.4-1.7 4.2-3.3" stroke="var(--ink-3)" strokeWidth="2" strokeLinecap="round" />
    <path
      d="m13.6 13.4 2.9 3 5-7.4"
      stroke="var(--brand)"
      strokeWidth="2.4"
      strokeLinecap="round"
      strokeLinejoin="round"
    />
  </svg>
);
