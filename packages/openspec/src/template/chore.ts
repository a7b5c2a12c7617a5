import { deltaText, taskList, type Scaffold, type TemplateInput } from './text.ts';

/** Maintenance, with what could go wrong and how to get back. */
export const chore = ({ title, slug, rationale }: TemplateInput): Scaffold => ({
  proposal: `# Change: ${title}

## Why
${rationale ?? 'Say what gets better for those who maintain this, and what happens if it is not done.'}

## What Changes
- **${slug}:** maintain ${title}

## Risk Assessment
| Risk | Likelihood | Impact | Mitigation |
|---|---|---|---|
| Behaviour changes unnoticed | low | high | compare before and after with the test suite |

- Rollback: how to get back, and until when that is possible

## Impact
- Affected specs: ${slug}
- Affected code: name the modules that will change
`,
  tasks: taskList([
    ['Assess', ['List the risks and how each is met', 'Write down how to roll back']],
    ['Prepare', ['Record the behaviour before the change with tests or figures']],
    ['Change', ['Make the change in small steps', 'Remove what is no longer needed']],
    ['Verify', ['Run the whole test suite', 'Compare with the record from before']],
  ]),
  delta: deltaText({
    purpose: `Describes what "${title}" keeps true, so that maintenance does not change behaviour.`,
    requirement: title,
    statement: `The system SHALL keep its behaviour while this is maintained: ${title}.`,
    scenario: 'Behaviour stays the same',
    condition: 'the maintenance is done',
    outcome: 'every existing test passes unchanged',
  }),
});
