import {
  Check,
  CircleDashed,
  CircleHelp,
  CirclePause,
  ClipboardCheck,
  ListTodo,
  LoaderCircle,
  MessageSquareText,
  RefreshCw,
  SquareCheck,
  Wrench,
  X,
  type LucideIcon,
} from 'lucide-react';
import type { NodeKind, NodeState } from './tree.ts';

export const KIND_LOOKS: Readonly<Record<NodeKind, { icon: LucideIcon; word: string }>> = {
  task: { icon: ListTodo, word: 'Task' },
  try: { icon: RefreshCw, word: 'Try' },
  turn: { icon: MessageSquareText, word: 'Model call' },
  tool: { icon: Wrench, word: 'Tool call' },
  check: { icon: ClipboardCheck, word: 'Check' },
  tick: { icon: SquareCheck, word: 'Tick' },
  step: { icon: CircleDashed, word: 'Step' },
};

export const STATE_LOOKS: Readonly<Record<NodeState, { icon: LucideIcon; word: string; tone: string; bar: string }>> = {
  waiting: { icon: CircleDashed, word: 'Waiting', tone: 'text-ink-3', bar: 'bg-line-strong' },
  running: { icon: LoaderCircle, word: 'Running', tone: 'text-accent', bar: 'bg-accent' },
  ok: { icon: Check, word: 'Done', tone: 'text-ok', bar: 'bg-ink-3' },
  failed: { icon: X, word: 'Failed', tone: 'text-bad', bar: 'bg-bad' },
  unknown: { icon: CircleHelp, word: 'Outcome unknown', tone: 'text-warn', bar: 'bg-warn' },
  stopped: { icon: CirclePause, word: 'Not finished', tone: 'text-warn', bar: 'bg-warn' },
};
