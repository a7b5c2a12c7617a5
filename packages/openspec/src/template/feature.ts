import { deltaText, taskList, type Scaffold, type TemplateInput } from './text.ts';

/** A new ability, in five phases. */
export const feature = ({ title, slug, rationale }: TemplateInput): Scaffold => ({
  proposal: `# Change: ${title}

## Why
${rationale ?? 'Say which problem this solves, for whom, and why now. Two or three sentences are enough.'}

## What Changes
- **${slug}:** add ${title}

## Impact
- Affected specs: ${slug}
- Affected code: name the modules that will change

## Out of Scope
- Name what this change leaves alone, so that nobody expects it
`,
  tasks: taskList([
    [
      'Understand',
      ['Agree on the problem and on what is out of scope', 'Write the requirements and scenarios of the delta'],
    ],
    ['Design', ['Choose the approach and note what was ruled out', 'Name the interfaces and data that change']],
    ['Build', ['Implement the requirements of the delta', 'Handle the errors that the scenarios name']],
    ['Verify', ['Cover every scenario with a test', 'Run the whole test suite']],
    ['Release', ['Update the documentation', 'Have the change reviewed']],
  ]),
  delta: deltaText({
    purpose: `Describes what the system does for "${title}", so that everybody relies on the same behaviour.`,
    requirement: title,
    statement: `The system SHALL provide: ${title}.`,
    scenario: 'It works as intended',
    condition: 'a user does what this change is about',
    outcome: 'the system answers as the proposal describes',
  }),
});
