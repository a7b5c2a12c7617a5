import { sameText, type Requirement } from '../grammar/requirement.ts';
import { scenarioLoss } from '../rules/scenario-loss.ts';
import { lostTail } from './compose.ts';
import { openSlots, type Slots } from './slots.ts';
import type { Merge, MergeInput, Refusal } from './model.ts';

type Done = { [K in 'added' | 'modified' | 'removed']: string[] } & {
  readonly renamed: Merge['renamed'][number][];
};
type Applied = Pick<Merge, keyof Done | 'warnings'> & { readonly blocks: readonly string[] };

/** Each step returns the sentence of its refusal, or nothing. */
export const applyDelta = (input: MergeInput, requirements: readonly Requirement[]): Applied | Refusal => {
  const slots = openSlots(requirements);
  const done: Done = { added: [], modified: [], removed: [], renamed: [] };
  const warnings: string[] = [];
  const refused =
    rename(input, slots, done) ??
    remove(input, slots, done, warnings) ??
    modify(input, slots, done) ??
    add(input, slots, done);
  if (refused !== undefined) return { refused: `${input.capability} ${refused}` };
  for (const { original, block } of slots.all()) {
    const tail = original === undefined ? undefined : lostTail(original, block);
    if (tail === undefined || original === undefined) continue;
    warnings.push(
      `${input.capability} - "${tail}" sits inside requirement "${original.name}" and goes with it. Move it under its own requirement, or above \`## Requirements\`, to keep it.`,
    );
  }
  const blocks = slots.all().flatMap(({ block }) => (block === undefined ? [] : [block.raw]));
  return { ...done, warnings, blocks };
};

const failed = (operation: string, name: string, why: string): string =>
  `${operation} failed for header "### Requirement: ${name}" - ${why}`;

const rename = ({ delta }: MergeInput, slots: Slots, done: Done): string | undefined => {
  for (const { from, to } of delta.renamed) {
    const source = slots.get(from);
    if (source === undefined) {
      if (slots.get(to) === undefined) return failed('RENAMED', from, 'source not found');
      const miss = slots.near(from, to);
      if (miss === undefined) continue; // somebody renamed it already
      return failed(
        'RENAMED',
        from,
        `source not found, but ${existing(miss)} exists; fix the header to match it exactly`,
      );
    }
    if (slots.get(to) !== undefined) return failed('RENAMED', to, 'target already exists');
    const miss = slots.near(to, from);
    if (miss !== undefined) {
      return failed(
        'RENAMED',
        to,
        `${existing(miss)} already exists and differs only in case or spacing; choose a distinct name`,
      );
    }
    const [, ...body] = source.raw.split('\n');
    slots.replace(from, { name: to, raw: [`### Requirement: ${to}`, ...body].join('\n') });
    done.renamed.push({ from, to });
  }
  return undefined;
};

const remove = (
  { capability, delta, base }: MergeInput,
  slots: Slots,
  done: Done,
  warnings: string[],
): string | undefined => {
  for (const name of delta.removed) {
    if (slots.get(name) !== undefined) {
      slots.replace(name, undefined);
      done.removed.push(name);
    } else if (base !== undefined) {
      const miss = slots.near(name);
      if (miss !== undefined) {
        return failed('REMOVED', name, `not found, but ${existing(miss)} exists; fix the header to match it exactly`);
      }
      warnings.push(
        `${capability} - REMOVED requirement "${name}" is not in the current spec; treating it as already removed.`,
      );
    }
  }
  return undefined;
};

const modify = ({ delta }: MergeInput, slots: Slots, done: Done): string | undefined => {
  for (const block of delta.modified) {
    const current = slots.get(block.name);
    if (current === undefined) return failed('MODIFIED', block.name, 'not found');
    const loss = scenarioLoss(current, block);
    if (loss !== undefined) {
      const why = `current spec contains scenario(s) not present in the modified block: ${loss}`;
      return failed(
        'MODIFIED',
        block.name,
        `${why} Refresh the change spec before archiving to avoid dropping scenarios.`,
      );
    }
    if (!sameText(current, block)) done.modified.push(block.name);
    slots.replace(block.name, block);
  }
  return undefined;
};

const add = ({ delta }: MergeInput, slots: Slots, done: Done): string | undefined => {
  for (const block of delta.added) {
    const present = slots.get(block.name);
    if (present !== undefined) {
      if (sameText(present, block)) continue; // it was merged by hand already
      return failed('ADDED', block.name, 'already exists');
    }
    const miss = slots.near(block.name);
    if (miss !== undefined) {
      return failed(
        'ADDED',
        block.name,
        `${existing(miss)} already exists and differs only in case or spacing; use MODIFIED with that exact header to change it, or choose a distinct name`,
      );
    }
    slots.append(block);
    done.added.push(block.name);
  }
  return undefined;
};

const existing = (name: string): string => `"### Requirement: ${name}"`;
