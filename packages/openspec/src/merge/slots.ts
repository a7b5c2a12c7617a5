import { foldName, type Requirement } from '../grammar/requirement.ts';

/** The place of one requirement; without `original` it is new, without `block` it is gone. */
export interface Slot {
  readonly original: Requirement | undefined;
  block: Requirement | undefined;
}

/** Requirements in their order, found by exact name and by name but for case and spacing. */
export interface Slots {
  get(name: string): Requirement | undefined;
  /** A name that differs from `name` only in case or spacing, or is the same; `except` does not count. */
  near(name: string, except?: string): string | undefined;
  replace(name: string, block: Requirement | undefined): void;
  append(block: Requirement): void;
  all(): readonly Slot[];
}

export const openSlots = (requirements: readonly Requirement[]): Slots => {
  const slots: Slot[] = requirements.map((block) => ({ original: block, block }));
  const byName = new Map(requirements.map(({ name }, index) => [name, slots[index]]));
  const byFold = new Map<string, Set<string>>();
  const note = (name: string): void => {
    const fold = foldName(name);
    const names = byFold.get(fold);
    if (names === undefined) byFold.set(fold, new Set([name]));
    else names.add(name);
  };
  for (const { name } of requirements) note(name);
  return {
    get: (name) => byName.get(name)?.block,
    near: (name, except) => [...(byFold.get(foldName(name)) ?? [])].find((other) => other !== except),
    replace: (name, block) => {
      const slot = byName.get(name);
      if (slot === undefined) return;
      slot.block = block;
      byName.delete(name);
      byFold.get(foldName(name))?.delete(name);
      if (block === undefined) return;
      byName.set(block.name, slot);
      note(block.name);
    },
    append: (block) => {
      const slot: Slot = { original: undefined, block };
      slots.push(slot);
      byName.set(block.name, slot);
      note(block.name);
    },
    all: () => slots,
  };
};
