import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

// A project of any size, the same at every run: each change has 12 tasks and adds one requirement to a capability of
// ten requirements; ten changes share a capability.

const write = (file, text) => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
};

const requirement = (name) =>
  [
    `### Requirement: ${name}`,
    `The system SHALL behave as ${name} in every supported environment and report failures.`,
    '',
    `#### Scenario: ok ${name}`,
    '- **WHEN** the input is valid',
    '- **THEN** the result is stored',
    '',
    `#### Scenario: bad ${name}`,
    '- **WHEN** the input is invalid',
    '- **THEN** an error is returned',
    '',
  ].join('\n');

const tasks = (seed) =>
  [1, 2, 3]
    .map((group) => {
      const lines = [1, 2, 3, 4].map((number) => {
        const box = (seed + group + number) % 3 === 0 ? ' ' : 'x';
        return `- [${box}] ${group}.${number} Task ${number} of group ${group} and verify it`;
      });
      return `## ${group}. Group ${group}\n\n${lines.join('\n')}\n`;
    })
    .join('\n');

export const slugOf = (index) => `change-${String(index).padStart(5, '0')}`;

/** Writes `count` changes below `root`. */
export const writeProject = (root, count) => {
  const openspec = join(root, 'openspec');
  const capabilities = Math.max(10, Math.floor(count / 10));
  write(join(openspec, 'config.yaml'), 'schema: spec-driven\n');
  mkdirSync(join(openspec, 'changes', 'archive'), { recursive: true });
  for (let index = 0; index < capabilities; index += 1) {
    const all = Array.from({ length: 10 }, (_, rule) => requirement(`Capability ${index} rule ${rule}`));
    const purpose = `Capability ${index} of a made project, described at such a length that strict mode likes it.`;
    write(
      join(openspec, 'specs', `cap-${index}`, 'spec.md'),
      `# cap-${index} Specification\n\n## Purpose\n${purpose}\n\n## Requirements\n\n${all.join('\n')}`,
    );
  }
  for (let index = 0; index < count; index += 1) {
    const folder = join(openspec, 'changes', slugOf(index));
    const capability = `cap-${index % capabilities}`;
    write(join(folder, '.openspec.yaml'), 'schema: spec-driven\ncreated: 2026-01-01\n');
    write(
      join(folder, 'proposal.md'),
      `# Change: Number ${index}\n\n## Why\nChange ${index} exists so that scaling is measured on a known input of some length.\n\n## What Changes\n- **${capability}:** add a rule\n\n## Impact\n- none\n`,
    );
    write(join(folder, 'tasks.md'), tasks(index));
    write(
      join(folder, 'specs', capability, 'spec.md'),
      `## ADDED Requirements\n\n${requirement(`Capability extra ${index}`)}`,
    );
  }
};
