import type { ChangeDetail, Validation } from '@cloutagent/contract';
import { CircleCheck, CircleX, Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { Markdown } from '../markdown/markdown.tsx';

const LEVELS = {
  ERROR: { icon: CircleX, tone: 'text-bad', word: 'Error' },
  WARNING: { icon: TriangleAlert, tone: 'text-warn', word: 'Warning' },
  INFO: { icon: Info, tone: 'text-ink-3', word: 'Note' },
} as const;

const Findings = ({ validation }: { readonly validation: Validation }) => {
  if (validation.issues.length === 0) {
    return (
      <p className="flex items-center gap-2 text-ok">
        <CircleCheck size={14} aria-hidden /> The spec is valid
      </p>
    );
  }
  return (
    <ul className="divide-y divide-line rounded-lg border border-line bg-surface">
      {validation.issues.map((issue, index) => {
        const { icon: Icon, tone, word } = LEVELS[issue.level];
        return (
          <li key={`${issue.code}${index}`} className="flex gap-2.5 px-4 py-2.5">
            <Icon size={14} aria-hidden className={`mt-0.5 shrink-0 ${tone}`} />
            <div className="min-w-0">
              <p className="break-words">
                <span className={`font-medium ${tone}`}>{word}: </span>
                {issue.message}
              </p>
              <p className="font-mono text-2xs break-all text-ink-3">
                {issue.path}
                {issue.line === undefined ? '' : `:${issue.line}`} · {issue.code}
              </p>
            </div>
          </li>
        );
      })}
    </ul>
  );
};

const Document = ({ path, children }: { readonly path: string; readonly children: ReactNode }) => (
  <section aria-label={path} className="rounded-lg border border-line bg-surface">
    <h2 className="border-b border-line px-4 py-2 font-mono text-xs text-ink-3">{path}</h2>
    <div className="max-w-[78ch] px-4 py-4">{children}</div>
  </section>
);

interface SpecTabProps {
  readonly change: ChangeDetail;
  readonly validation: Validation | undefined;
}

/** Proposal and deltas as they are on disk, with what validation says about them. */
export const SpecTab = ({ change, validation }: SpecTabProps) => (
  <div className="flex flex-col gap-4">
    {validation === undefined ? null : <Findings validation={validation} />}
    <Document path={change.paths.proposal}>
      {change.proposal.trim() === '' ? (
        <p className="text-ink-3">The proposal is empty.</p>
      ) : (
        <Markdown text={change.proposal} />
      )}
    </Document>
    {change.deltas.map((delta) => (
      <Document key={delta.path} path={delta.path}>
        <Markdown text={delta.text} />
      </Document>
    ))}
  </div>
);
