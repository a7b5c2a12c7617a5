import type { RunEvent } from '@cloutagent/contract';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { audit } from './support/ledger.ts';
import { killTree } from './support/processes.ts';
import { runProgram, startProgram } from './support/program.ts';
import { openTempProject } from './support/project.ts';

const WORKFLOW = `
name: twelve
nodes:
  - { id: in, type: input }
  - { id: left, type: agent, data: { systemPrompt: Left. } }
  - { id: right, type: agent, data: { systemPrompt: Right. } }
  - { id: look, type: tool, data: { server: filesystem, tool: list_directory, arguments: { path: . } } }
  - { id: list, type: template, data: { template: "one\\ntwo\\nthree" } }
  - { id: map, type: map, data: { nodes: [{ id: each, type: agent, data: { systemPrompt: Each. } }] } }
  - { id: if, type: condition, data: { expression: length(input) > 1 } }
  - { id: no, type: template, data: { template: "no" } }
  - { id: ask, type: approval }
  - { id: last, type: agent, data: { systemPrompt: Last. } }
  - { id: end, type: template, data: { template: "{{input}}!" } }
  - { id: out, type: output }
edges:
  - { source: in, target: left }
  - { source: in, target: right }
  - { source: left, target: look }
  - { source: right, target: list }
  - { source: list, target: map }
  - { source: look, target: if }
  - { source: map, target: if }
  - { source: if, target: ask, branch: then }
  - { source: if, target: no, branch: else }
  - { source: ask, target: last }
  - { source: last, target: end }
  - { source: end, target: out }
  - { source: no, target: out }
`;

/** Calls with an unknown outcome are booked at their bound: each node may lose several. */
const RUN = ['run', 'twelve.yaml', '--simulate', '--budget', '5', '--input', 'x', '--json'];
const RESUME = ['runs', 'resume', 'last', '--json'];

it('[D1 D3 X2.kill X2.no-repeat] kill -9 in a workflow of twelve nodes, again and again: it completes, and the ledger is the bill', async () => {
  using project = openTempProject();
  writeFileSync(join(project.root, 'twelve.yaml'), WORKFLOW);
  let kills = 0;
  let seen = 0;
  // Each process lives until it has told of so many events that no earlier one has told of.
  for (const news of [2, 5, 3, 7, 4, 6]) {
    const args = kills === 0 ? RUN : RESUME;
    const running = startProgram('clout', args, project);
    const target = seen + news;
    const reached = await running.line((line) => {
      const parsed = JSON.parse(line) as { readonly type?: string; readonly event?: RunEvent };
      if (parsed.type !== 'event' || parsed.event === undefined) return false;
      seen = Math.max(seen, parsed.event.seq);
      return seen >= target;
    });
    if (reached === undefined) break;
    await killTree(running);
    kills += 1;
  }
  expect(kills).toBeGreaterThan(3);
  expect((await runProgram('clout', RESUME, project)).code).toBe(6);
  const approved = await runProgram('clout', ['runs', 'approve', 'last'], project);
  expect(approved.code, approved.stderr + approved.stdout).toBe(0);
  const last = await runProgram('clout', RESUME, project);
  expect(last.code, last.stderr + last.stdout.slice(-2000)).toBe(0);
  const { detail, repeated, surplus, wrongRows } = await audit(project);
  expect(detail.run.status).toBe('completed');
  expect({ repeated, wrongRows }).toEqual({ repeated: [], wrongRows: [] });
  // Two branches and three items may each have had a call under way.
  expect(surplus).toBeLessThanOrEqual(3 * kills);
  expect(new Set(detail.steps.map(({ key }) => key)).size).toBe(detail.steps.length);
  expect(
    detail.ledger.filter(({ outcome, amount, reserved }) => outcome === 'unknown' && amount.nanoUsd > reserved.nanoUsd),
  ).toEqual([]);
}, 240_000);
