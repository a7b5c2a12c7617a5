import { deltaText, taskList, type Scaffold, type TemplateInput } from './text.ts';

/** A defect, from its symptom to a test that keeps it away. */
export const bugfix = ({ title, slug, rationale }: TemplateInput): Scaffold => ({
  proposal: `# Change: ${title}

## Why
${rationale ?? 'Say what goes wrong, for whom, since when, and what it costs them as long as it stays.'}

## What Changes
- **${slug}:** fix ${title}

## Investigation
- Steps to reproduce: one step a line, with the input that fails
- Expected: what should happen
- Actual: what happens instead, with the message or log line
- Root cause: to be found; name the line, not the symptom
- Why it was not caught: the test that was missing

## Impact
- Affected specs: ${slug}
- Affected code: name the modules that will change
`,
  tasks: taskList([
    ['Reproduce', ['Reproduce the defect and note the steps', 'Write a test that fails because of it']],
    ['Investigate', ['Find the root cause and write it down', 'Look for the same mistake elsewhere']],
    ['Fix', ['Fix the root cause', 'See the failing test pass']],
    ['Verify', ['Run the whole test suite', 'Check that the steps to reproduce no longer fail']],
  ]),
  delta: deltaText({
    purpose: `Describes the behaviour that "${title}" restores, so that the defect does not come back.`,
    requirement: title,
    statement: `The system SHALL behave correctly where this defect occurred: ${title}.`,
    scenario: 'The defect does not occur any more',
    condition: 'the steps to reproduce are carried out',
    outcome: 'the expected result of the proposal appears',
  }),
});
