import { ChevronRight } from 'lucide-react';
import { useEffect, useRef, type KeyboardEvent } from 'react';
import { cx } from '../ui/class-names.ts';
import { Amount } from '../ui/money.tsx';
import { showDuration } from '../ui/time.ts';
import { moveInTree, type FlatRow } from './flatten.ts';
import { KIND_LOOKS, STATE_LOOKS } from './node-look.ts';
import { shortenPath } from './run-view.ts';
import { lastSegment } from './step-key.ts';
import type { Bar } from './timeline.ts';
import { durationOf, type StepNode } from './tree.ts';

interface StepTreeProps {
  readonly rows: readonly FlatRow[];
  readonly selected: string | undefined;
  /** Root of the project; paths in it are shown without it. */
  readonly root: string;
  readonly now: number;
  readonly barOf: (node: StepNode) => Bar | undefined;
  readonly onSelect: (key: string) => void;
  readonly onExpand: (key: string, expanded: boolean) => void;
}

const Waterfall = ({ node, bar }: { readonly node: StepNode; readonly bar: Bar | undefined }) => (
  <span aria-hidden className="relative h-2 rounded-full bg-sunken @max-md:hidden">
    {bar === undefined ? null : (
      <span
        className={cx('absolute inset-y-0 min-w-[3px] rounded-full', STATE_LOOKS[node.state].bar)}
        style={{ left: `${bar.left * 100}%`, width: `${bar.width * 100}%` }}
      />
    )}
  </span>
);

interface RowProps extends Omit<StepTreeProps, 'rows' | 'selected' | 'barOf'> {
  readonly row: FlatRow;
  readonly active: boolean;
  readonly tabStop: boolean;
  readonly bar: Bar | undefined;
}

const Row = ({ row, active, tabStop, root, now, bar, onSelect, onExpand }: RowProps) => {
  const { node, level, expanded } = row;
  const state = STATE_LOOKS[node.state];
  const kind = KIND_LOOKS[node.kind];
  const StateIcon = state.icon;
  const KindIcon = kind.icon;
  const took = durationOf(node, now);
  return (
    <div
      id={`step-${node.key}`}
      role="treeitem"
      aria-level={level}
      aria-posinset={row.position}
      aria-setsize={row.setSize}
      aria-selected={active}
      aria-expanded={expanded}
      tabIndex={tabStop ? 0 : -1}
      onClick={() => onSelect(node.key)}
      className={cx(
        'grid h-8 cursor-pointer grid-cols-[minmax(0,1fr)_3.75rem] items-center gap-2 pr-3 outline-offset-[-2px] @md:grid-cols-[minmax(0,1fr)_18%_3.5rem_3.75rem]',
        active ? 'bg-accent-soft' : 'hover:bg-hover',
      )}
    >
      <span className="flex min-w-0 items-center gap-1.5" style={{ paddingLeft: `${(level - 1) * 14 + 6}px` }}>
        {expanded === undefined ? (
          <span className="w-4 shrink-0" />
        ) : (
          <ChevronRight
            size={16}
            aria-hidden
            onClick={(event) => {
              event.stopPropagation();
              onExpand(node.key, !expanded);
            }}
            className={cx(
              'shrink-0 rounded p-px text-ink-3 transition-transform hover:bg-sunken',
              expanded && 'rotate-90',
            )}
          />
        )}
        <StateIcon
          size={14}
          aria-hidden
          strokeWidth={2.25}
          className={cx('shrink-0', state.tone, node.state === 'running' && 'animate-spin motion-reduce:animate-none')}
        />
        <KindIcon size={13} aria-hidden className="shrink-0 text-ink-3" />
        {node.kind === 'task' ? (
          <span className="tnum shrink-0 font-mono text-xs text-ink-3">{lastSegment(node.key).index}</span>
        ) : null}
        <span
          className={cx(
            'truncate',
            level === 1 && 'font-medium',
            node.detail !== '' && 'shrink-0',
            node.kind === 'tool' && 'font-mono text-xs',
          )}
        >
          <span className="sr-only">
            {kind.word}, {state.word}:{' '}
          </span>
          {node.label}
        </span>
        {node.detail === '' ? null : (
          <span className="truncate text-xs text-ink-3">{shortenPath(node.detail, root)}</span>
        )}
      </span>
      <Waterfall node={node} bar={bar} />
      <span className="tnum text-right text-xs text-ink-3 @max-md:hidden">
        {took === null ? '' : showDuration(took)}
      </span>
      <span className="tnum text-right text-xs text-ink-2">
        {node.costNanoUsd === 0 ? '' : <Amount nanoUsd={node.costNanoUsd} />}
      </span>
    </div>
  );
};

const itemOf = (tree: HTMLElement, key: string | undefined): HTMLElement | undefined =>
  [...tree.querySelectorAll<HTMLElement>('[role=treeitem]')].find((element) => element.id === `step-${key ?? ''}`);

/** Scrolls the tree's own box, never the page: a run that goes on must not move what a person reads elsewhere. */
const keepInView = (tree: HTMLElement, key: string | undefined): void => {
  const item = itemOf(tree, key)?.getBoundingClientRect();
  if (item === undefined) return;
  const box = tree.getBoundingClientRect();
  if (item.bottom > box.bottom) tree.scrollTop += item.bottom - box.bottom;
  else if (item.top < box.top) tree.scrollTop -= box.top - item.top;
};

/** Task → try → turn → tool, check, tick, with how long each took. Arrow keys as in any tree. */
export const StepTree = ({ rows, selected, barOf, ...rest }: StepTreeProps) => {
  const tree = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (tree.current !== null) keepInView(tree.current, selected);
  }, [selected]);
  const tabStop = rows.some((row) => row.node.key === selected) ? selected : rows[0]?.node.key;
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    const move = moveInTree(rows, tabStop, event.key);
    if (move === undefined) return;
    event.preventDefault();
    if ('expand' in move) rest.onExpand(move.expand, true);
    else if ('collapse' in move) rest.onExpand(move.collapse, false);
    else {
      rest.onSelect(move.select);
      if (tree.current !== null) itemOf(tree.current, move.select)?.focus();
    }
  };
  return (
    <div
      ref={tree}
      role="tree"
      aria-label="Steps"
      tabIndex={-1}
      onKeyDown={onKeyDown}
      className="@container py-1 @3xl:max-h-[calc(100dvh-7.5rem)] @3xl:overflow-y-auto"
    >
      {rows.map((row) => (
        <Row
          key={row.node.key}
          row={row}
          active={row.node.key === selected}
          tabStop={row.node.key === tabStop}
          bar={barOf(row.node)}
          {...rest}
        />
      ))}
    </div>
  );
};
