import type { Delta } from '../grammar/delta.ts';

/** What a delta does to the main specification of its capability. */
export interface Merge {
  /** The whole new file, with the line breaks of the old one. */
  readonly text: string;
  /** False where everything is in the specification already: then nothing is written. */
  readonly changed: boolean;
  readonly created: boolean;
  readonly added: readonly string[];
  readonly modified: readonly string[];
  readonly removed: readonly string[];
  readonly renamed: readonly { readonly from: string; readonly to: string }[];
  /** True where no requirement is left. */
  readonly isEmpty: boolean;
  readonly warnings: readonly string[];
}

/** Why a merge is refused: a sentence in OpenSpec's words. */
export interface Refusal {
  readonly refused: string;
}

export interface MergeInput {
  readonly capability: string;
  readonly slug: string;
  readonly delta: Delta;
  readonly deltaText: string;
  /** The main specification; undefined where the capability is new. */
  readonly base: string | undefined;
}
