import type { Delta } from '../grammar/delta.ts';
import { foldName } from '../grammar/requirement.ts';

export interface Contradiction {
  readonly code: string;
  readonly message: string;
}

/** Where a delta names one requirement twice, within a section or across two. */
export const contradictionsOf = (delta: Delta): Contradiction[] => [...duplicatesOf(delta), ...acrossSections(delta)];

export const duplicatesIn = (section: 'ADDED' | 'MODIFIED' | 'REMOVED', names: readonly string[]): Contradiction[] =>
  repeated(names).map((name) => ({
    code: 'DUPLICATE_REQUIREMENT',
    message: `Duplicate requirement in ${section}: "${name}"`,
  }));

export const duplicateRenames = (delta: Delta): Contradiction[] => [
  ...repeated(delta.renamed.map(({ from }) => from)).map((name) => ({
    code: 'DUPLICATE_RENAME',
    message: `Duplicate FROM in RENAMED: "${name}"`,
  })),
  ...repeated(delta.renamed.map(({ to }) => to)).map((name) => ({
    code: 'DUPLICATE_RENAME',
    message: `Duplicate TO in RENAMED: "${name}"`,
  })),
];

const duplicatesOf = (delta: Delta): Contradiction[] => [
  ...duplicatesIn(
    'ADDED',
    delta.added.map(({ name }) => name),
  ),
  ...duplicatesIn(
    'MODIFIED',
    delta.modified.map(({ name }) => name),
  ),
  ...duplicatesIn('REMOVED', delta.removed),
  ...duplicateRenames(delta),
  ...delta.unpaired.map(({ side, name }) => ({
    code: 'RENAME_UNPAIRED',
    message: `RENAMED ${side}: "${name}" has no matching ${side === 'FROM' ? 'TO' : 'FROM'}: line`,
  })),
];

export const acrossSections = (delta: Delta): Contradiction[] => {
  const added = new Set(delta.added.map(({ name }) => name));
  const modified = new Set(delta.modified.map(({ name }) => name));
  const removed = new Set(delta.removed);
  const folded = new Map(delta.removed.map((name) => [foldName(name), name]));
  const both = (a: string, b: string, name: string): Contradiction => ({
    code: 'CROSS_SECTION_CONFLICT',
    message: `Requirement present in both ${a} and ${b}: "${name}"`,
  });
  return [
    ...[...modified].flatMap((name) => [
      ...(removed.has(name) ? [both('MODIFIED', 'REMOVED', name)] : []),
      ...(added.has(name) ? [both('MODIFIED', 'ADDED', name)] : []),
    ]),
    ...[...added].filter((name) => removed.has(name)).map((name) => both('ADDED', 'REMOVED', name)),
    ...delta.renamed.flatMap(({ from, to }) => {
      const spelled = folded.get(foldName(from));
      const hint = spelled === from ? '' : ` (REMOVED spells it "${spelled}")`;
      return [
        ...(modified.has(from)
          ? [
              {
                code: 'MODIFIED_OLD_NAME',
                message: `MODIFIED references old name from RENAMED. Use new header for "${to}"`,
              },
            ]
          : []),
        ...(added.has(to)
          ? [{ code: 'RENAME_TARGET_ADDED', message: `RENAMED TO collides with ADDED for "${to}"` }]
          : []),
        ...(spelled === undefined
          ? []
          : [
              {
                code: 'CROSS_SECTION_CONFLICT',
                message: `Requirement present in both RENAMED and REMOVED: "${from}"${hint}`,
              },
            ]),
      ];
    }),
  ];
};

const repeated = (names: readonly string[]): string[] => {
  const seen = new Set<string>();
  return names.filter((name) => seen.size === seen.add(name).size);
};
