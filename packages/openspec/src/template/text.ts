/** What a template is filled with; one line each but `rationale`. */
export interface TemplateInput {
  readonly title: string;
  readonly slug: string;
  readonly rationale: string | undefined;
}

/** The three documents of a new change. */
export interface Scaffold {
  readonly proposal: string;
  readonly tasks: string;
  readonly delta: string;
}

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
  readonly condition: string;
  readonly outcome: string;
}

/** A delta that OpenSpec accepts as it stands, strict included. */
export const deltaText = (input: DeltaInput): string => `## Purpose
${input.purpose}

## ADDED Requirements

### Requirement: ${input.requirement}
${input.statement}

#### Scenario: ${input.scenario}
- **WHEN** ${input.condition}
- **THEN** ${input.outcome}
`;

/** One line without control characters and without marks that turn the direction of text: what may stand in a heading. */
export const oneLine = (text: string): string => text.replaceAll(/[\s\p{Cc}\u202A-\u202E\u2066-\u2069]+/gu, ' ').trim();

/** Text of several lines without control characters. */
export const manyLines = (text: string): string =>
  text
    .replaceAll(/\r\n?|[\u2028\u2029]/gu, '\n')
    .replaceAll(/[^\P{Cc}\n\t]/gu, ' ')
    .trim();
