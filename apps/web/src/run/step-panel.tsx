import { showUsd, type TaskOutcome, type Usage } from '@cloutagent/contract';
import { TriangleAlert } from 'lucide-react';
import { useEffect, useRef, type ReactNode } from 'react';
import { SimulatedBadge } from '../ui/status.tsx';
import { showDuration } from '../ui/time.ts';
import { isRecord, showJson } from './json.ts';
import { KIND_LOOKS, STATE_LOOKS } from './node-look.ts';
import { Outcome } from './outcome.tsx';
import { inputParts, outputParts, type Part } from './step-view.ts';
import { durationOf, type StepNode } from './tree.ts';

const PRE =
  'max-h-96 overflow-auto rounded-md border border-line bg-bg p-2.5 font-mono text-xs break-words whitespace-pre-wrap';

/** Text that streams stays at its end while the reader is there. */
const StreamingText = ({ text }: { readonly text: string }) => {
  const box = useRef<HTMLDivElement>(null);
  const pinned = useRef(true);
  useEffect(() => {
    if (pinned.current && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  return (
    <div
      ref={box}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        pinned.current = scrollHeight - scrollTop - clientHeight < 24;
      }}
      className="caret max-h-96 overflow-auto break-words whitespace-pre-wrap"
    >
      {text}
    </div>
  );
};

const PartView = ({ part }: { readonly part: Part }) => {
  if (part.kind === 'text') {
    if (part.streaming) return <StreamingText text={part.text} />;
    return <div className="max-h-96 overflow-auto break-words whitespace-pre-wrap">{part.text}</div>;
  }
  if (part.kind === 'call') {
    return (
      <div>
        <p className="mb-1 text-xs text-ink-3">
          {part.title} <code className="font-mono text-ink">{part.name}</code>
        </p>
        <pre className={PRE}>{showJson(part.input)}</pre>
      </div>
    );
  }
  return <pre className={PRE}>{showJson(part.value)}</pre>;
};

const Section = ({ title, children }: { readonly title: string; readonly children: ReactNode }) => (
  <section className="border-t border-line px-4 py-3">
    <h3 className="mb-1.5 text-xs font-medium text-ink-3">{title}</h3>
    <div className="flex flex-col gap-2.5">{children}</div>
  </section>
);

const Facts = ({ facts }: { readonly facts: readonly (readonly [label: string, value: string])[] }) => (
  <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 text-xs">
    {facts.map(([label, value]) => (
      <div key={label} className="contents">
        <dt className="text-ink-3">{label}</dt>
        <dd className="tnum min-w-0 text-right break-words">{value}</dd>
      </div>
    ))}
  </dl>
);

const usageFacts = (usage: Usage): readonly (readonly [string, string])[] => {
  const rows: readonly (readonly [string, number])[] = [
    ['Input tokens', usage.inputTokens],
    ['Read from cache', usage.cacheReadTokens],
    ['Written to cache', usage.cacheWrite5mTokens + usage.cacheWrite1hTokens],
    ['Output tokens', usage.outputTokens],
  ];
  return rows
    .filter(([label, count]) => count > 0 || !label.includes('cache'))
    .map(([label, count]) => [label, count.toLocaleString('en-US')]);
};

const factsOf = (node: StepNode, now: number): readonly (readonly [string, string])[] => {
  const facts: (readonly [string, string])[] = [];
  if (node.startedAt !== null) {
    facts.push(['Started', new Date(node.startedAt).toLocaleTimeString()]);
    const took = durationOf(node, now);
    if (took !== null) facts.push(['Took', showDuration(took)]);
  }
  const usage = node.row?.usage ?? node.live?.usage ?? null;
  if (usage !== null) facts.push(...usageFacts(usage));
  if (node.costNanoUsd > 0) facts.push(['Cost', showUsd(node.costNanoUsd)]);
  for (const attempt of node.attempts) {
    if (attempt.outcome === 'unknown')
      facts.push([
        `Attempt ${attempt.attempt}`,
        `outcome unknown, booked at its bound ${showUsd(attempt.amount.nanoUsd)}`,
      ]);
    if (attempt.outcome === 'held') facts.push(['Reserved', showUsd(attempt.reserved.nanoUsd)]);
    if (attempt.outcome === 'released') facts.push([`Attempt ${attempt.attempt}`, 'not billed']);
  }
  return facts;
};

const outcomeOf = (node: StepNode): TaskOutcome | null => {
  if (node.kind !== 'task') return null;
  const output = node.row?.output;
  // Rows are written from the same contract; the fields that are used are looked at.
  if (isRecord(output) && typeof output['ticked'] === 'boolean' && Array.isArray(output['evidence']))
    return output as unknown as TaskOutcome;
  return node.live?.outcome ?? null;
};

interface StepPanelProps {
  readonly node: StepNode;
  readonly simulated: boolean;
  readonly now: number;
}

/** Everything that is known about one step. */
export const StepPanel = ({ node, simulated, now }: StepPanelProps) => {
  const state = STATE_LOOKS[node.state];
  const kind = KIND_LOOKS[node.kind];
  const StateIcon = state.icon;
  const output = outputParts(node);
  const input = inputParts(node);
  const outcome = outcomeOf(node);
  const facts = factsOf(node, now);
  const retries = node.live?.retries ?? [];
  return (
    <section aria-label="Selected step" className="rounded-lg border border-line bg-surface">
      <header className="px-4 py-3">
        <p className="flex flex-wrap items-center gap-2 text-xs text-ink-3">
          {kind.word}
          <span className={`inline-flex items-center gap-1 font-medium ${state.tone}`}>
            <StateIcon
              size={13}
              aria-hidden
              className={node.state === 'running' ? 'animate-spin motion-reduce:animate-none' : ''}
            />
            {state.word}
          </span>
          {simulated && node.kind === 'turn' ? <SimulatedBadge /> : null}
        </p>
        <h2 className="mt-0.5 font-semibold break-words">{node.label}</h2>
        <p className="font-mono text-2xs break-all text-ink-3">
          {node.detail === '' ? '' : `${node.detail} · `}
          {node.key}
        </p>
      </header>
      {node.state === 'unknown' ? (
        <p className="mx-4 mb-3 flex gap-2 rounded-md bg-warn-soft p-2.5">
          <TriangleAlert size={14} aria-hidden className="mt-0.5 shrink-0 text-warn" />
          The connection broke before the outcome was known. It may have been billed, so its bound is booked.
        </p>
      ) : null}
      {retries.length === 0 ? null : (
        <Section title="Tried again">
          {retries.map((retry) => (
            <p key={retry.attempt} className="text-xs">
              <span className="tnum text-ink-3">Attempt {retry.attempt}</span>{' '}
              <code className="font-mono text-warn">{retry.code}</code> {retry.message}
              <span className="text-ink-3">, again after {showDuration(retry.delayMs)}</span>
            </p>
          ))}
        </Section>
      )}
      {outcome === null || node.kind !== 'task' ? null : (
        <Section title="Outcome">
          <Outcome outcome={outcome} />
        </Section>
      )}
      {node.kind === 'tool' && input.length > 0 ? (
        <Section title="Arguments">
          {input.map((part, index) => (
            <PartView key={index} part={part} />
          ))}
        </Section>
      ) : null}
      {output.length === 0 || outcome !== null ? null : (
        <Section title={node.state === 'failed' ? 'Error' : node.kind === 'turn' ? 'Answer' : 'Output'}>
          {output.map((part, index) => (
            <PartView key={index} part={part} />
          ))}
        </Section>
      )}
      {node.kind !== 'tool' && input.length > 0 ? (
        <Section title="Input">
          {input.map((part, index) => (
            <PartView key={index} part={part} />
          ))}
        </Section>
      ) : null}
      {facts.length === 0 ? null : (
        <Section title={node.kind === 'turn' ? 'Usage and cost' : 'Time and cost'}>
          <Facts facts={facts} />
        </Section>
      )}
    </section>
  );
};
