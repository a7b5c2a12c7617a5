import type { Usage } from '@cloutagent/contract';
import type { ContentBlock } from '../model/port.ts';

/** What happens in an agent while it happens, for who follows it live; nothing of it is stored. */
export type AgentSignal =
  /** A call has begun to answer; `usage` has the exact input. */
  | { readonly type: 'call'; readonly step: string; readonly usage: Usage }
  | { readonly type: 'text'; readonly step: string; readonly text: string }
  | { readonly type: 'thinking'; readonly step: string; readonly text: string }
  /** A call is paid. */
  | { readonly type: 'paid'; readonly step: string; readonly usage: Usage; readonly costNanoUsd: number }
  /** A call failed and is made again; the text that came of it no longer counts. */
  | {
      readonly type: 'retry';
      readonly step: string;
      readonly attempt: number;
      readonly delayMs: number;
      readonly code: string;
      readonly message: string;
    }
  /** A call failed for good and may have cost its bound. */
  | { readonly type: 'lost'; readonly step: string; readonly costNanoUsd: number }
  /** The answer was cut and is asked again with more room; the text that came of it no longer counts. */
  | { readonly type: 'cut'; readonly step: string }
  /** A server asks a person in the middle of a call; the agent goes on with the answer. */
  | { readonly type: 'asking'; readonly approval: string; readonly title: string }
  | { readonly type: 'tool_call'; readonly id: string; readonly name: string; readonly input: unknown }
  | {
      readonly type: 'tool_result';
      readonly id: string;
      readonly name: string;
      readonly input: unknown;
      readonly blocks: readonly ContentBlock[];
      readonly isError: boolean;
      readonly durationMs: number;
    };

/** Called in order. The model's stream is read on when the promise is settled, so that a slow observer is felt by the server. */
export type Observe = (signal: AgentSignal) => void | Promise<void>;
