import type { TaskOutcome } from '@cloutagent/contract';
import { CircleCheck, CircleX } from 'lucide-react';
import { checkText } from './label.ts';

const VERIFICATION = {
  checked: 'Ticked: its checks were run and held',
  unverified: 'Ticked on the agent’s word: it has no checks',
  'by-hand': 'Was ticked by hand before',
} as const;

/** How a task ended: ticked or not, on what evidence. */
export const Outcome = ({ outcome }: { readonly outcome: TaskOutcome }) => (
  <>
    <p className="font-medium">
      {outcome.ticked ? (outcome.verification === null ? 'Ticked' : VERIFICATION[outcome.verification]) : 'Stays open'}
      <span className="font-normal text-ink-3">{outcome.attempts > 1 ? `, after ${outcome.attempts} tries` : ''}</span>
    </p>
    {outcome.evidence.length === 0 ? null : (
      <ul className="flex flex-col gap-1">
        {outcome.evidence.map((result, index) => {
          const Icon = result.ok ? CircleCheck : CircleX;
          return (
            <li key={index} className="flex gap-2">
              <Icon size={14} aria-hidden className={`mt-0.5 shrink-0 ${result.ok ? 'text-ok' : 'text-bad'}`} />
              <span className="min-w-0 break-words">
                <span className="sr-only">{result.ok ? 'Held: ' : 'Did not hold: '}</span>
                <code className="font-mono text-xs">{checkText(result.check)}</code>
                {result.detail === '' ? null : <span className="block text-xs text-ink-3">{result.detail}</span>}
              </span>
            </li>
          );
        })}
      </ul>
    )}
    {outcome.note === '' ? null : <p className="break-words whitespace-pre-wrap text-ink-2">{outcome.note}</p>}
  </>
);
