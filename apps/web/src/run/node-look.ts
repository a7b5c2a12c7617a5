import {
  Check,
  CircleDashed,
  CircleHelp,
  CirclePause,
  ClipboardCheck,
  Hourglass,
  ListTodo,
  LoaderCircle,
  MessageSquareText,
  RefreshCw,
  SkipForward,
  SquareCheck,
  UserRoundCheck,
  Workflow,
  Wrench,
  X,
  type LucideIcon,
} from 'lucide-react';
import type { NodeKind, NodeState } from './tree.ts';

export const KIND_LOOKS: Readonly<Record<NodeKind, { icon: LucideIcon; word: string }>> = {
  task: { icon: ListTodo, word: 'Task' },
  node: { icon: Workflow, word: 'Node' },
  item: { icon: ListTodo, word: 'Item' },
  ask: { icon: UserRoundCheck, word: 'Question' },
  wait: { icon: Hourglass, word: 'Wait' },
  try: { icon: RefreshCw, word: 'Try' },
  turn: { icon: MessageSquareText, word: 'Model call' },
  tool: { icon: Wrench, word: 'Tool call' },
  check: { icon: ClipboardCheck, word: 'Check' },
  tick: { icon: SquareCheck, word: 'Tick' },
  step: { icon: CircleDashed, word: 'Step' },
};

export const STATE_LOOKS: Readonly<Record<NodeState, { icon: LucideIcon; word: string; tone: string; bar: string }>> = {
  waiting: { icon: CircleDashed, word: 'Waiting', tone: 'text-ink-3', bar: 'bg-line-strong' },
  asking: { icon: Hourglass, word: 'Waits for somebody or a time', tone: 'text-warn', bar: 'bg-warn' },
  skipped: { icon: SkipForward, word: 'Skipped', tone: 'text-ink-3', bar: 'bg-line-strong' },
  running: { icon: LoaderCircle, word: 'Running', tone: 'text-accent', bar: 'bg-accent' },
  ok: { icon: Check, word: 'Done', tone: 'text-ok', bar: 'bg-ink-3' },
  failed: { icon: X, word: 'Failed', tone: 'text-bad', bar: 'bg-bad' },
  unknown: { icon: CircleHelp, word: 'Outcome unknown', tone: 'text-warn', bar: 'bg-warn' },
  stopped: { icon: CirclePause, word: 'Not finished', tone: 'text-warn', bar: 'bg-warn' },
};
