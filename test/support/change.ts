import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TempProject } from './project.ts';

export const SLUG = 'add-price-list';

const DELTA = `## Purpose
Visitors see what the bakery sells and what it costs before they come to the shop and stand in line.

## ADDED Requirements

### Requirement: Price list
The site SHALL list every kind of bread with its price.

#### Scenario: A visitor looks for a price
- **WHEN** a visitor opens the price list
- **THEN** every kind of bread is shown with its price
`;

const task = (number: number, title: string): string => `- [ ] 1.${number} ${title}
  - check: file prices/part-${number}.md exists
  - check: file prices/part-${number}.md contains "Part ${number} of the \\"price list\\""
`;

/** What a person writes after \`clout change open\`: a delta instead of the scaffold's, and five tasks or more; the simulator gets the third wrong at first. */
export const writePriceList = (project: TempProject, more: readonly string[] = []): void => {
  const folder = join(project.root, 'openspec/changes', SLUG);
  rmSync(join(folder, 'specs'), { recursive: true });
  mkdirSync(join(folder, 'specs/prices'), { recursive: true });
  const titles = [
    'Write the breads',
    'Write the rolls',
    'Write the cakes (wrong first)',
    'Write the drinks',
    'Write the offers',
    ...more,
  ];
  writeFileSync(
    join(folder, 'proposal.md'),
    '# Change: Add a price list\n\n## Why\nVisitors ask for prices on the phone.\n\n## What Changes\n- **prices:** a price list\n',
  );
  writeFileSync(
    join(folder, 'tasks.md'),
    `## 1. The list\n\n${titles.map((title, index) => task(index + 1, title)).join('')}`,
  );
  writeFileSync(join(folder, 'specs/prices/spec.md'), DELTA);
};

export const TASKS = 5;
