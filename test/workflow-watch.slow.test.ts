import type { Run, RunEvent } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { runProgram, startProgram, type Running } from './support/program.ts';
import { openTempProject, type TempProject } from './support/project.ts';
import { startSlowSimulator, startWorkflowServer, type WorkflowServer } from './support/workflow-server.ts';

const agent = (id: string) => ({ id, type: 'agent', data: { systemPrompt: `You are ${id}.` } }) as const;
const ask = { id: 'ask', type: 'approval', data: {} } as const;
const out = { id: 'out', type: 'output', data: {} } as const;

interface Line {
  readonly type: string;
  readonly event?: RunEvent;
  readonly run?: Run;
}
const linesOf = (text: string): readonly Line[] => text.split('\n').map((line) => JSON.parse(line) as Line);
const isEvent =
  (type: RunEvent['body']['type']) =>
  (line: string): boolean =>
    (JSON.parse(line) as Line).event?.body.type === type;
const watch = (project: TempProject): Running => startProgram('clout', ['runs', 'watch', 'last', '--json'], project);

/** A server of its own process and a model that takes its time to the first token. */
const withServer = async (
  firstTokenMs: number,
  use: (project: TempProject, server: WorkflowServer) => Promise<void>,
): Promise<void> => {
  using project = openTempProject();
  await using simulator = await startSlowSimulator(project, { firstTokenMs, perTokenMs: 0 });
  await using server = await startWorkflowServer(project, { ANTHROPIC_API_URL: simulator.url });
  await use(project, server);
};

describe('clout runs watch, beside a server', () => {
  it(
    'follows a run through a delay, stops where it asks a person (6), and follows it to its end (0) after another process has approved',
    () =>
      withServer(0, async (project, server) => {
        const wait = { id: 'wait', type: 'delay', data: { delayMs: 4_000 } } as const;
        const edges = [
          { source: 'wait', target: 'ask' },
          { source: 'ask', target: 'a' },
          { source: 'a', target: 'out' },
        ];
        const { id } = await server.run({ nodes: [wait, ask, agent('a'), out], edges }, 'x');
        const first = await watch(project).ended;
        expect(first.code, first.stderr).toBe(6);
        const seen = linesOf(first.stdout);
        expect(seen.at(-1)).toMatchObject({ type: 'result', run: { id, status: 'waiting' } });
        // It was put away for the delay, and nobody was asked before that was over.
        const states = seen.flatMap(({ event }) => (event?.body.type === 'run.state' ? [event.body.status] : []));
        expect(states).toEqual(['running', 'waiting', 'running', 'waiting']);
        expect(seen.filter(({ event }) => event?.body.type === 'approval.requested')).toHaveLength(1);

        expect((await runProgram('clout', ['runs', 'approve', 'last'], project)).code).toBe(0);
        const second = await watch(project).ended;
        expect(second.code, second.stderr).toBe(0);
        const whole = linesOf(second.stdout);
        expect(whole.at(-1)).toMatchObject({ type: 'result', run: { status: 'completed' } });
        const seqs = whole.flatMap(({ event }) => (event === undefined ? [] : [event.seq]));
        expect(seqs).toEqual(seqs.map((_, index) => index + 1));
      }),
    120_000,
  );

  it(
    'stays with a run that asks in one branch and works in another, and sees the approval of another process',
    () =>
      withServer(6_000, async (project, server) => {
        const edges = [
          { source: 'ask', target: 'out' },
          { source: 'a', target: 'out' },
        ];
        await server.run({ nodes: [ask, agent('a'), out], edges }, 'x');
        const watching = watch(project);
        expect(await watching.line(isEvent('approval.requested'))).toBeDefined();
        expect((await runProgram('clout', ['runs', 'approve', 'last'], project)).code).toBe(0);
        const { code, stdout, stderr } = await watching.ended;
        expect(code, stderr).toBe(0);
        const seen = linesOf(stdout);
        expect(seen.some(({ event }) => event?.body.type === 'approval.decided')).toBe(true);
        expect(seen.at(-1)).toMatchObject({ run: { status: 'completed' } });
      }),
    120_000,
  );

  it(
    'ends with 1 for a run that fails, and Ctrl-C leaves a run running, which goes on to its end',
    () =>
      withServer(5_000, async (project, server) => {
        const { id } = await server.run({ nodes: [agent('a'), out], edges: [{ source: 'a', target: 'out' }] }, 'x');
        const watching = watch(project);
        expect(await watching.line(isEvent('model.started'))).toBeDefined();
        watching.kill('SIGINT');
        const { code, stdout } = await watching.ended;
        expect([code, linesOf(stdout).at(-1)]).toEqual([0, { type: 'detached', runId: id }]);
        expect((await server.client.call('runShow', { params: { id } })).run.status).toBe('running');
        const again = await watch(project).ended;
        expect([again.code, linesOf(again.stdout).at(-1)]).toMatchObject([0, { run: { id, status: 'completed' } }]);
        // The call that was under way when nobody watched any more was made once.
        expect((await server.client.call('runShow', { params: { id } })).ledger).toHaveLength(1);

        await server.run(
          { nodes: [{ id: 'm', type: 'map', data: { nodes: [out], split: 'json' } }] as never },
          'no JSON',
        );
        expect((await watch(project).ended).code).toBe(1);
      }),
    120_000,
  );
});
