import type { Approval } from '@cloutagent/contract';
import { useQuery } from '@tanstack/react-query';
import { Check, UserRoundCheck, X } from 'lucide-react';
import { useId, useState } from 'react';
import { api } from '../api/client.ts';
import { approvalsQuery } from '../api/queries.ts';
import { useAction } from '../api/use-action.ts';
import { Button } from '../ui/button.tsx';
import { Field, inputClass } from '../ui/field.tsx';
import { ProblemBox } from '../ui/problem-box.tsx';
import { isRecord, textOf } from './json.ts';

/** The text that a node asks about, or the form of a server; other questions are shown as they are. */
const textAsked = ({ request }: Approval): string | undefined =>
  isRecord(request) ? textOf(request['text']) : undefined;

/** A page that a server wants a person to open; where it leads is shown whole. */
const linkAsked = ({ kind, request }: Approval): string | undefined => {
  const url = kind === 'elicitation' && isRecord(request) ? textOf(request['url']) : undefined;
  return url !== undefined && /^https?:/iu.test(url) ? url : undefined;
};

const Question = ({ approval }: { readonly approval: Approval }) => {
  const asked = textAsked(approval);
  const link = linkAsked(approval);
  const message = isRecord(approval.request) ? textOf(approval.request['message']) : undefined;
  const [text, setText] = useState(asked ?? '');
  const [reason, setReason] = useState('');
  const id = useId();
  const decide = useAction((decision: 'approve' | 'deny') =>
    api.call('approvalDecide', {
      params: { id: approval.id },
      body: {
        decision,
        digest: approval.digest,
        ...(reason === '' ? {} : { reason }),
        ...(decision === 'approve' && asked !== undefined && text !== asked ? { edited: text } : {}),
      },
    }),
  );
  return (
    <section aria-label={approval.title} className="mb-4 rounded-lg border border-warn bg-surface p-4">
      <h2 className="flex items-center gap-2 font-semibold">
        <UserRoundCheck size={15} aria-hidden className="text-warn" />
        {approval.title}
      </h2>
      {message === undefined || message === approval.title ? null : (
        <p className="mt-1 break-words text-ink-2">{message}</p>
      )}
      {link === undefined ? null : (
        <p className="mt-2 break-all">
          <a href={link} target="_blank" rel="noopener noreferrer" className="text-accent underline">
            {link}
          </a>
        </p>
      )}
      {asked === undefined ? (
        <pre className="mt-2 overflow-x-auto rounded-md bg-sunken p-2 font-mono text-xs">
          {JSON.stringify(approval.request, undefined, 2)}
        </pre>
      ) : (
        <div className="mt-2 flex flex-col gap-1.5">
          <label htmlFor={id} className="text-xs font-medium text-ink-2">
            {approval.kind === 'elicitation'
              ? 'Your answer as JSON; fill it in before you approve'
              : 'What goes on; edit it before you approve, if you like'}
          </label>
          <textarea
            id={id}
            value={text}
            onChange={(event) => setText(event.target.value)}
            rows={Math.min(10, Math.max(2, text.split('\n').length))}
            className={`${inputClass} h-auto py-1.5 font-mono text-xs`}
          />
        </div>
      )}
      <div className="mt-2 flex flex-wrap items-end gap-2">
        <div className="min-w-48 flex-1">
          <Field
            label="Reason (kept with the decision)"
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        </div>
        <Button kind="danger" busy={decide.busy} icon={<X size={13} aria-hidden />} onClick={() => decide.run('deny')}>
          Deny
        </Button>
        <Button
          kind="primary"
          busy={decide.busy}
          icon={<Check size={13} aria-hidden />}
          onClick={() => decide.run('approve')}
        >
          {asked !== undefined && text !== asked ? 'Approve as edited' : 'Approve'}
        </Button>
      </div>
      {approval.expiresAt === null ? null : (
        <p className="mt-2 text-xs text-ink-3">Expires {new Date(approval.expiresAt).toLocaleString()}</p>
      )}
      {decide.error === null ? null : <ProblemBox error={decide.error} className="mt-2" />}
    </section>
  );
};

/** What a run asks a person, each with its answer. */
export const ApprovalsBox = ({ runId }: { readonly runId: string }) => {
  const { data } = useQuery(approvalsQuery(runId));
  return (data?.items ?? []).map((approval) => <Question key={approval.id} approval={approval} />);
};
