import type { Finding } from '@cloutagent/contract';
import { isEmptyDelta, type Delta, type Stray } from '../grammar/delta.ts';
import { bodyOf, hasKeyword, scenariosOf, statementOf, type Requirement } from '../grammar/requirement.ts';
import { parseSpec } from '../grammar/spec.ts';
import { acrossSections, duplicateRenames, duplicatesIn, type Contradiction } from './contradictions.ts';
import { scenarioLoss } from './scenario-loss.ts';

/** Findings about one delta file, in OpenSpec's order; `base` is the main specification, where there is one. */
export const deltaFindings = (path: string, delta: Delta, base: string | undefined): Finding[] => {
  const error = ({ code, message }: Contradiction): Finding => ({ level: 'ERROR', code, path, message });
  return [
    ...delta.skipped.map((stray) => skippedHeading(path, stray)),
    ...delta.unpaired.map(({ side, name, line }): Finding => {
      const missing = side === 'FROM' ? 'TO' : 'FROM';
      const message = `RENAMED ${side}: "${name}" has no matching ${missing}: line. Write each rename as a FROM: line followed immediately by its TO: line.`;
      return { level: 'ERROR', code: 'RENAME_UNPAIRED', path, line, message };
    }),
    ...delta.orphans.map((orphan): Finding => {
      const message = `Requirement "${orphan.text}" is ${orphanPlace(orphan)}, which is not a delta section, so it is ignored. Move it under "## ADDED Requirements", "## MODIFIED Requirements", "## REMOVED Requirements", or "## RENAMED Requirements".`;
      return { level: 'WARNING', code: 'REQUIREMENT_IGNORED', path, line: orphan.line, message };
    }),
    ...blockFindings(path, 'ADDED', delta.added),
    ...blockFindings(path, 'MODIFIED', delta.modified),
    ...(base === undefined || delta.modified.length === 0 ? [] : lostScenarios(path, delta, base)),
    ...duplicatesIn('REMOVED', delta.removed).map(error),
    ...duplicateRenames(delta).map(error),
    ...acrossSections(delta).map(error),
  ];
};

/** A delta file without a single entry; undefined where it has one. These come after all other files' findings. */
export const emptyFinding = (path: string, delta: Delta): Finding | undefined => {
  if (!isEmptyDelta(delta)) return undefined;
  if (delta.sections.length === 0) {
    const message =
      'No delta sections found. Add headers such as "## ADDED Requirements" or move non-delta notes outside specs/.';
    return { level: 'ERROR', code: 'DELTA_NO_SECTIONS', path, message };
  }
  const titles = delta.sections.map((operation) => `## ${operation} Requirements`);
  const list = titles.length === 1 ? titles[0] : `${titles.slice(0, -1).join(', ')} and ${titles.at(-1)}`;
  const message = `Delta sections ${list} were found, but no requirement entries parsed. Ensure each section includes at least one "### Requirement:" block (REMOVED may use bullet list syntax).`;
  return { level: 'ERROR', code: 'DELTA_SECTION_EMPTY', path, message };
};

export const orphanPlace = ({ section }: Stray): string =>
  section === undefined ? 'above the first "## " section' : `under "## ${section}"`;

const skippedHeading = (path: string, { text, line, section }: Stray): Finding => {
  const start = `Header "### ${text}" in ${section}`;
  const message = /^requirement:?$/iu.test(text)
    ? `${start} is missing a requirement name and is ignored by validation. Add a name, e.g. "### Requirement: <name>".`
    : `${start} is not a "### Requirement:" header and is ignored by validation. Use "### Requirement: ${text}" if it should be validated as a requirement.`;
  return { level: 'INFO', code: 'HEADING_IGNORED', path, line, message };
};

const blockFindings = (path: string, section: 'ADDED' | 'MODIFIED', blocks: readonly Requirement[]): Finding[] => {
  const seen = new Set<string>();
  return blocks.flatMap((block) => {
    const isRepeated = seen.has(block.name);
    seen.add(block.name);
    return [
      ...(isRepeated ? duplicatesIn(section, [block.name, block.name]) : []).map(({ code, message }): Finding => ({
        level: 'ERROR',
        code,
        path,
        message,
      })),
      ...statementFinding(path, section, block),
      ...scenarioFinding(path, section, block),
    ];
  });
};

const statementFinding = (path: string, section: string, block: Requirement): Finding[] => {
  const statement = statementOf(bodyOf(block));
  if (hasKeyword(statement)) return [];
  const subject = `${section} "${block.name}"`;
  const inHeader =
    'in the requirement body, not only in the header. Move the SHALL/MUST statement to the line immediately after the "### Requirement: ..." header.';
  if (statement === '') {
    const message = hasKeyword(block.name)
      ? `${subject} must contain SHALL or MUST ${inHeader}`
      : `${subject} is missing requirement text`;
    return [{ level: 'ERROR', code: 'REQUIREMENT_NO_TEXT', path, message }];
  }
  const where = hasKeyword(block.name) ? ` ${inHeader}` : '';
  const message = `${subject} should contain SHALL or MUST${where} (RFC 2119 best practice for English specs)`;
  return [{ level: 'WARNING', code: 'REQUIREMENT_NO_KEYWORD', path, message }];
};

const scenarioFinding = (path: string, section: string, block: Requirement): Finding[] => {
  const scenarios = scenariosOf(bodyOf(block));
  if (scenarios.some(({ body }) => body !== '')) return [];
  const hint =
    scenarios.length === 0
      ? ''
      : ' (a scenario header with no body under it does not count; add its steps, e.g. "- **WHEN** ..." and "- **THEN** ...")';
  const message = `${section} "${block.name}" must include at least one scenario${hint}`;
  return [{ level: 'ERROR', code: 'REQUIREMENT_NO_SCENARIO', path, message }];
};

/** The check that archive makes too, so that its author learns of a loss while writing. */
const lostScenarios = (path: string, delta: Delta, base: string): Finding[] => {
  const current = new Map(parseSpec(base).requirements.map((block) => [block.name, block]));
  const oldName = new Map(delta.renamed.map(({ from, to }) => [to, from]));
  const renamedAway = new Set(delta.renamed.map(({ from }) => from));
  return delta.modified.flatMap((block) => {
    if (renamedAway.has(block.name)) return [];
    let name: string | undefined = block.name;
    // A chain of renames is followed back to what the specification has; the names seen end a circle.
    const seen = new Set<string>();
    while (name !== undefined && !current.has(name) && !seen.has(name)) {
      seen.add(name);
      name = oldName.get(name);
    }
    const target = name === undefined ? undefined : current.get(name);
    const loss = target === undefined ? undefined : scenarioLoss(target, block);
    if (loss === undefined) return [];
    const message = `MODIFIED "${block.name}" omits scenario(s) the current spec still has: ${loss} Copy the omitted scenarios into the MODIFIED block (a MODIFIED requirement replaces the whole block, so archive refuses to drop them).`;
    return [{ level: 'ERROR' as const, code: 'SCENARIO_LOST', path, message }];
  });
};
