/** Keys to press one after another. */
export const Keys = ({ keys }: { readonly keys: string }) => (
  <span className="inline-flex gap-1">
    {keys.split(' ').map((key, index) => (
      <kbd
        key={`${key}${index}`}
        className="inline-flex h-5 min-w-5 items-center justify-center rounded border border-line-strong bg-surface px-1 font-sans text-2xs text-ink-2"
      >
        {key}
      </kbd>
    ))}
  </span>
);
