import type { Overlap, UnarchiveResult } from '@cloutagent/contract';
import { oneLine, plain, type Style } from '../output.ts';

export const showOverlaps = (overlaps: readonly Overlap[], style: Style): string =>
  overlaps.length === 0
    ? 'No requirement is named by two open changes.'
    : overlaps.map((overlap) => showOverlap(overlap, style)).join('\n');

export const showOverlap = ({ capability, requirement, kind, changes }: Overlap, style: Style): string =>
  [
    `${style.yellow(kind)}  ${plain(capability)}: ${oneLine(requirement)}`,
    ...changes.map(({ slug, operation }) => `  ${style.bold(plain(slug))} ${operation}`),
  ].join('\n');

interface Rebased {
  readonly slug: string;
  readonly rebased: readonly { readonly capability: string; readonly requirement: string }[];
}

export const showRebased = ({ slug, rebased }: Rebased): string =>
  rebased.length === 0
    ? `${plain(slug)} starts from the specification as it is.`
    : [
        `${plain(slug)} now starts from the current text of`,
        ...rebased.map(({ capability, requirement }) => `  ${plain(capability)}: ${oneLine(requirement)}`),
      ].join('\n');

export const showUnarchived = (result: UnarchiveResult, style: Style): string =>
  [
    `${style.green('Open again')}: ${plain(result.slug)}, in ${plain(result.path)}`,
    ...result.specs.map((file) => `  ${plain(file)} is as before the archive`),
  ].join('\n');
