/** Phases with their tasks, numbered as OpenSpec numbers them. */
export const taskList = (phases: readonly (readonly [title: string, tasks: readonly string[]])[]): string =>
  phases
    .map(([title, tasks], phase) => {
      const boxes = tasks.map((task, index) => `- [ ] ${phase + 1}.${index + 1} ${task}\n`);
      return `## ${phase + 1}. ${title}\n\n${boxes.join('')}`;
    })
    .join('\n');

export interface DeltaInput {
  readonly purpose: string;
  readonly requirement: string;
  readonly statement: string;
  readonly scenario: string;
  readonly when: string;
  readonly then: string;
}

/** A delta that OpenSpec accepts as it stands, strict included. */
export const deltaText = (input: DeltaInput): string => `## Purpose
${input.purpose}

## ADDED Requirements

### Requirement: ${input.requirement}
${input.statement}

#### Scenario: ${input.scenario}
- **WHEN** ${input.when}
- **THEN** ${input.then}
`;

/** One line without control characters: what may stand in a heading. */
export const oneLine = (text: string): string => text.replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim();

/** Text of several lines without control characters. */
export const manyLines = (text: string): string =>
  text
    .replaceAll(/\r\n?|[\u2028\u2029]/gu, '\n')
    .replaceAll(/[^\P{Cc}\n\t]/gu, ' ')
    .trim();
