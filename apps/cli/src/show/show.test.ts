import { NO_USAGE, toMoney, type Approval, type Plan, type Run, type RunEvent } from '@cloutagent/contract';
import { describe, expect, test } from 'vitest';
import { createStyle, oneLine, plain } from '../output.ts';
import { lineOf } from '../progress/line.ts';
import { createStreamedText } from '../progress/streamed-text.ts';
import { nextProgress, progressOf } from '../progress/state.ts';
import { statusOf } from '../progress/reporter.ts';
import { showPlan } from './plan.ts';
import { exitOf, showEnd, showRun } from './run.ts';
import { table } from './table.ts';

const style = createStyle(false);
const usd = (dollars: number) => toMoney(Math.round(dollars * 1e9));
const run: Run = {
  id: 'run_0123',
  kind: 'change',
  slug: 'my-change',
  title: 'My change',
  status: 'running',
  reason: null,
  model: 'claude-sonnet-5-5',
  simulated: true,
  createdAt: '2026-11-20T10:00:00.000Z',
  updatedAt: '',
  finishedAt: null,
  money: { limit: usd(0.5), spent: usd(0), held: usd(0) },
  usage: NO_USAGE,
  counts: { modelCalls: 3, toolCalls: 2, unknownOutcomes: 0 },
  documentHash: '',
  forkedFrom: null,
  tasks: [
    { id: '1.1', title: 'Write', status: 'done', verification: 'checked', costNanoUsd: 1 },
    { id: '1.2', title: 'Test', status: 'open', verification: null, costNanoUsd: 0 },
  ],
};
const event = (body: RunEvent['body']): RunEvent => ({ seq: 1, runId: 'run_0123', at: 0, body });

describe('text', () => {
  test('control characters of foreign text do not reach the terminal', () => {
    expect(plain('a\u001b[31mb\u0007\u009bc\rd\ne')).toBe('a[31mbcd\ne');
    expect(oneLine(' a\n b\tc ', 4)).toBe('a b…');
  });

  test('tables align, also with wide characters, and end no line in spaces', () => {
    const text = table(
      [{ title: 'A' }, { title: 'N', align: 'right' }, { title: 'B' }],
      [
        ['日本', '1', 'x'],
        ['ab', '22', ''],
      ],
      (title) => title,
    );
    expect(text).toBe('A      N  B\n日本   1  x\nab    22');
  });

  test('colour is only added when asked for', () => {
    expect(createStyle(true).red('x')).toBe('\u001b[31mx\u001b[39m');
    expect(createStyle(false).red('x')).toBe('x');
  });
});

test('[X3.plan] a plan shows what each task and the whole cost, how that came about, and the budget', () => {
  const plan: Plan = {
    format: 1,
    slug: 'my-change',
    model: 'claude-sonnet-5-5',
    simulated: true,
    pricesAsOf: '2026-11-01',
    tasks: [
      { id: '1.1', title: 'Write the file', checks: 2, expectedCalls: 3, expected: usd(0.0123), ceiling: usd(0.0492) },
    ],
    expected: usd(0.0123),
    ceiling: usd(0.0492),
    derivation: ['3 calls a task.'],
    budget: { limit: usd(20), spent: usd(1), held: usd(0), free: usd(19) },
    warnings: ['Task 1.1 has no check.'],
  };
  expect(showPlan(plan, 'my-change', style).split('\n')).toEqual([
    'my-change on claude-sonnet-5-5 (simulated: nothing is billed)',
    '',
    'TASK  TITLE           CHECKS  CALLS  EXPECTED  CEILING',
    '1.1   Write the file       2      3   $0.0123  $0.0492',
    '      in all                          $0.0123  $0.0492',
    '',
    'Expected $0.0123, at most $0.0492: clout run my-change stops there unless --budget says otherwise.',
    '  3 calls a task.',
    '  Prices as of 2026-11-01.',
    'Project budget: $20.00, $1.00 spent, $0.00 held, $19.00 free.',
    'Warning: Task 1.1 has no check.',
  ]);
});

describe('the end of a run', () => {
  test('exit codes follow the status', () => {
    expect((['completed', 'failed', 'cancelled', 'paused', 'interrupted'] as const).map(exitOf)).toEqual([
      0, 1, 1, 6, 6,
    ]);
  });

  test('[X7.marked] a completed one names its cost as simulated and the next command', () => {
    expect(showEnd({ ...run, status: 'completed', money: { ...run.money, spent: usd(0.0123) } }, style)).toBe(
      'completed run_0123: 1/2 tasks, $0.0123 simulated, 3 model calls\nNext: clout change archive my-change',
    );
  });

  test('[X1.pause] one that ran out of money says why, and the least budget that helps', () => {
    const reason = {
      code: 'BUDGET_EXHAUSTED',
      message: 'The budget of the run is used up',
      hint: 'Raise it',
      details: { scope: 'run', spentNanoUsd: 10_000_000, heldNanoUsd: 0, neededNanoUsd: 2_345_678 },
    };
    expect(showEnd({ ...run, status: 'paused', reason }, style)).toContain(
      'clout runs resume run_0123 --budget 0.0124',
    );
    const byProject = { ...reason, details: { ...reason.details, scope: 'project' } };
    expect(showEnd({ ...run, status: 'paused', reason: byProject }, style)).not.toContain('--budget');
  });
});

describe('progress', () => {
  test('[X9.progress] the status line shows task, tool, tokens and money', () => {
    let progress = progressOf(run, true);
    progress = nextProgress(progress, event({ type: 'task.started', taskId: '1.2', title: 'Test it' }));
    progress = nextProgress(
      progress,
      event({
        type: 'model.finished',
        step: 's',
        stopReason: 'tool_use',
        text: '',
        usage: { ...NO_USAGE, inputTokens: 1200, outputTokens: 34 },
        cost: usd(0.01),
      }),
    );
    progress = nextProgress(
      progress,
      event({ type: 'tool.started', step: 's', server: 'files', tool: 'write_file', input: {} }),
    );
    progress = nextProgress(progress, event({ type: 'money', limit: usd(0.5), spent: usd(0.01), held: usd(0.02) }));
    expect(statusOf(progress, true)).toEqual({
      what: '1.2 Test it · files:write_file',
      figures: '1,234 tokens · $0.0100 spent · $0.0200 reserved · limit $0.5000 · simulated',
    });
  });

  test('lines tell what happened and leave out what says nothing', () => {
    const check = { kind: 'file-exists', path: 'a.txt' } as const;
    expect(
      lineOf(
        event({ type: 'check.finished', step: 's', result: { check, ok: false, detail: 'there is none' } }),
        style,
      ),
    ).toBe('  check  file a.txt exists: does not hold, there is none');
    expect(
      lineOf(event({ type: 'model.started', step: 's', model: 'm', attempt: 1, reserved: usd(1) }), style),
    ).toBeUndefined();
  });

  test('streamed text comes out in whole lines, and a snapshot repeats nothing', () => {
    const text = createStreamedText();
    const push = (piece: string, snapshot = false, step = 'a') =>
      text.push({ runId: 'r', step, text: piece, snapshot });
    expect(push('one\ntw')).toEqual(['one']);
    expect(text.partial()).toBe('tw');
    expect(push('one\ntwo\nthr', true)).toEqual(['two']);
    expect(push('ee')).toEqual([]);
    expect(push('next', false, 'b')).toEqual(['three']);
    expect(text.flush()).toEqual(['next']);
    // A call that is made again says everything anew, also where it begins with the same words.
    expect([text.drop('a'), text.drop('b'), text.drop('b')]).toEqual([false, true, false]);
    expect(push('next\nline\n', true, 'b')).toEqual(['next', 'line']);
  });
});

describe('what a server asks', () => {
  const detail = { run, steps: [], ledger: [], waits: [], lastSeq: 0 };
  const asks: Approval = {
    id: 'apr_1',
    runId: run.id,
    step: 's',
    kind: 'elicitation',
    title: 'git asks: Which\nbranch?',
    request: { server: 'git', tool: 'push', mode: 'form', message: '', text: `{"branch":"it's; rm -rf ~"}` },
    digest: '',
    status: 'pending',
    decidedBy: null,
    reason: null,
    edited: null,
    createdAt: '',
    expiresAt: '2026-11-20T11:00:00.000Z',
    decidedAt: null,
  };

  test('[E6.elicitation] is shown with the command that answers, in which nothing of the server runs', () => {
    const text = showRun(detail, [asks], style);
    expect(text).toContain('git asks: Which branch? (until 2026-11-20T11:00:00.000Z)');
    expect(text).toContain(`clout runs approve apr_1 --edit '{"branch":"it'\\''s; rm -rf ~"}' (or deny)`);
    const link = { server: 'git', tool: 'push', mode: 'url', message: '', url: 'https://git.test/sign-in' };
    expect(showRun(detail, [{ ...asks, request: link }], style)).toContain('https://git.test/sign-in');
    expect(showRun(detail, [{ ...asks, kind: 'node' }], style)).not.toContain('asks');
  });
});
