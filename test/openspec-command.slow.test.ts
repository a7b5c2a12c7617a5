import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Template } from '@cloutagent/contract';
import { systemClock } from '@cloutagent/kit';
import { archiveChange, openChange, openProject, tickTask } from '@cloutagent/openspec';
import { expect, it } from 'vitest';
import { peers } from '../bench/openspec.bench.mjs';
import { installPeers } from '../scripts/support/peers.mjs';
import { openTempProject } from './support/project.ts';

const TITLES = ['Add login', '# 1. "Quoted": *yes*', 'Ünïcode — 日本 🎉', "it's {a: b} - [ ] 1.1 <!-- x"];

const requirement = (name: string, scenario: string): string =>
  `### Requirement: ${name}\nThe system SHALL do it.\n\n#### Scenario: ${scenario}\n- **WHEN** x\n- **THEN** y\n`;

it(
  '[T6.valid] the openspec command accepts what change.open writes, and goes on with it',
  { timeout: 600_000 },
  async () => {
    // Installed on demand, in the version that the golden cases were written with.
    const folder = await installPeers('openspec', peers);
    using temp = openTempProject();
    rmSync(join(temp.root, 'openspec'), { recursive: true });
    const openspec = (...args: readonly string[]): { code: number | null; answer: unknown } => {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [join(folder, 'node_modules/@fission-ai/openspec/bin/openspec.js'), ...args],
        { cwd: temp.root, encoding: 'utf8', env: { ...temp.env, OPENSPEC_TELEMETRY: '0', CI: 'true' } },
      );
      if (!stdout.startsWith('{')) throw new Error(`openspec ${args.join(' ')}: ${stdout}${stderr}`);
      return { code: status, answer: JSON.parse(stdout) as unknown };
    };
    const write = (file: string, text: string): void => {
      mkdirSync(dirname(join(temp.root, file)), { recursive: true });
      writeFileSync(join(temp.root, file), text);
    };
    const project = await openProject(temp.root, { clock: systemClock, caller: 'ada' });
    const opened: string[] = [];
    for (const template of Template.options) {
      for (const [index, title] of TITLES.entries()) {
        const slug = `${template}-${index}`;
        const owner = index === 0 ? { owner: 'team: "a"', ttl: 3600 } : { owner: undefined, ttl: undefined };
        await openChange(project, {
          title,
          slug,
          template,
          rationale: index < 2 ? undefined : `${title}\n## Why\n${title}`,
          ...owner,
        });
        opened.push(slug);
      }
    }
    const count = opened.length;
    expect(openspec('validate', '--all', '--strict', '--json')).toMatchObject({
      code: 0,
      answer: {
        items: opened.toSorted().map((id) => ({ id, type: 'change', valid: true, issues: [] })),
        summary: { totals: { items: count, passed: count, failed: 0 } },
      },
    });
    expect(openspec('list', '--json')).toMatchObject({ code: 0, answer: { changes: { length: count } } });
    expect(openspec('status', '--change', 'feature-0', '--json')).toMatchObject({ code: 0 });

    // What it archives, what we archive after it, and the specifications of both are good in its eyes.
    await tickTask(project, 'feature-0', '1.1');
    expect(openspec('archive', 'feature-0', '-y', '--json')).toMatchObject({
      code: 0,
      answer: { archive: { change: 'feature-0', totals: { added: 1 } } },
    });
    write('openspec/changes/ours/specs/feature-0/spec.md', `## ADDED Requirements\n\n${requirement('Ours', 'One')}`);
    expect(await archiveChange(project, { slug: 'ours' })).toMatchObject({ totals: { added: 1 } });
    write(
      'openspec/changes/theirs/specs/feature-0/spec.md',
      `## MODIFIED Requirements\n\n${requirement('Ours', 'One').replace('THEN** y', 'THEN** z')}`,
    );
    expect(openspec('validate', '--all', '--strict', '--json')).toMatchObject({
      answer: { summary: { totals: { failed: 0 } } },
    });
    expect(openspec('archive', 'theirs', '-y', '--json')).toMatchObject({
      code: 0,
      answer: { archive: { totals: { modified: 1 } } },
    });
  },
);
