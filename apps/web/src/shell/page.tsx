import { useEffect, type ReactNode } from 'react';
import { cx } from '../ui/class-names.ts';

interface PageProps {
  /** Goes into the title of the window. */
  readonly title: string;
  readonly panel?: ReactNode;
  readonly children: ReactNode;
}

/** A page with its optional right-hand panel; on wide windows the page makes room for it. */
export const Page = ({ title, panel, children }: PageProps) => {
  useEffect(() => {
    document.title = `${title} · CloutAgent`;
  }, [title]);
  const hasPanel = panel !== undefined && panel !== null && panel !== false;
  return (
    <div className={cx(hasPanel && 'lg:pr-[400px]')}>
      <div className="mx-auto w-full max-w-[1160px] px-4 pt-5 pb-16 sm:px-6">{children}</div>
      {panel}
    </div>
  );
};
