import path from 'node:path';
import type { ChangeFiles } from './change.ts';
import { deltaMeter } from './delta-size.ts';
import { readInside } from './disk/read.ts';
import { parseDelta, type Delta } from './grammar/delta.ts';
import { sliced } from './listing/slice.ts';
import { specsDir, type Project } from './project.ts';

/** One delta of a change with the main specification that it meets. */
export interface MetDelta {
  readonly capability: string;
  readonly text: string;
  readonly delta: Delta;
  /** Undefined where the capability is new. */
  readonly base: string | undefined;
}

export const specFile = (project: Project, capability: string): string =>
  [specsDir(project), ...capability.split('/'), 'spec.md'].join(path.sep);

export const meetSpecs = async (project: Project, { deltas }: Pick<ChangeFiles, 'deltas'>): Promise<MetDelta[]> => {
  const met: MetDelta[] = [];
  const slice = sliced(() => project.clock.monotonic());
  for (const { capability, text } of deltas) {
    const base = readInside(project.openspecDir, specFile(project, capability));
    met.push(meet(capability, text, base));
    if (slice.isOver()) await slice.pause();
  }
  return met;
};

/**
 * What another change, by its folder, says of specifications that were read already: texts by capability. Files that are
 * gone, with the whole change too, say nothing. @throws PAYLOAD_TOO_LARGE
 */
export const meetShared = async (
  project: Project,
  folder: string,
  specs: ReadonlyMap<string, string | undefined>,
  slice: ReturnType<typeof sliced>,
): Promise<MetDelta[]> => {
  const met: MetDelta[] = [];
  const measure = deltaMeter();
  for (const [capability, base] of specs) {
    const file = ['specs', ...capability.split('/'), 'spec.md'].join(path.sep);
    const text = readInside(project.openspecDir, folder + path.sep + file);
    if (text === undefined) continue;
    measure(file, text);
    met.push(meet(capability, text, base));
    if (slice.isOver()) await slice.pause();
  }
  return met;
};

const meet = (capability: string, text: string, base: string | undefined): MetDelta => ({
  capability,
  text,
  delta: parseDelta(text),
  base,
});
