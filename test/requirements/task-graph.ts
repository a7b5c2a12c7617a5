import { open, type Clause } from './clause.ts';

/** P: task graph and execution patterns. */
export const TASK_GRAPH: Readonly<Record<string, Clause>> = {
  'P1.mcp-json': open('.mcp.json is generated, basic and production.'),
  'P1.claude-settings': open('.claude/settings.json is generated with allow-list and hooks in the format of today.'),
  'P1.commands': open('The slash commands taskmaster-workflow and taskmaster-debug are generated.'),
  'P1.environment': open(
    'TASKMASTER_HOME, _LOG_LEVEL, _RETRY_COUNT and _TIMEOUT and the settings of the seed are honoured.',
  ),
  'P1.hooks': open('Hooks append the notes of the seed to CURRENT_TASK_ID and .taskmaster/logs/latest.log is written.'),
  'P2.tasks-json': open(
    '.taskmaster/tasks/tasks.json is read and written with tags, subtasks, statuses, priorities and dependencies.',
  ),
  'P2.tasks-md': open("OpenSpec's tasks.md is read and ticked through the same store."),
  'P2.checks': open('Check bullets under a checkbox are read; what cannot be read is never taken as held.'),
  'P2.tick': open('Ticking a task changes its mark and no other byte.'),
  'P2.unknown-fields': open('Unknown fields survive a round trip.'),
  'P2.concurrent': open('Several processes write at once and nothing is lost.'),
  'P3.next': open('next --json gives the fields of the task at top level and under task.'),
  'P3.readiness': open('One readiness function serves every surface, with whyNotReady.'),
  'P3.show-list': open('show and list give tasks as they are.'),
  'P3.set-status': open('set-status done is accepted and recorded as unverified.'),
  'P3.update-subtask': open('update-subtask takes a task id too.'),
  'P3.dependencies': open('validate-dependencies and fix-dependencies find and mend cycles and ghosts.'),
  'P3.complexity': open('complexity-report rates the tasks.'),
  'P3.differences': open('Deliberate differences from Task Master are documented.'),
  'P4.tools': open(
    'get_tasks, set_task_status, next_task, update_task and claim_task work over MCP, twelve tools at most.',
  ),
  'P4.execute': open('execute_task_autonomous succeeds only after the gates passed and says running while unfinished.'),
  'P4.unknown-arguments': open('Unknown arguments are refused; answers are paged and compact.'),
  'P4.mcp-tasks': open('Clients with the Tasks extension get an MCP task.'),
  'P5.sequential': open('Tasks run one after another with validation after each.'),
  'P5.stop': open('It stops at the first failure with the evidence.'),
  'P6.parallel': open('Ready tasks run in parallel, three by default.'),
  'P6.worktrees': open('Each task has its own git worktree and results are merged one after another.'),
  'P6.conflict': open('A conflict is reported, never overwritten.'),
  'P7.routes': open('Simple, medium, complex and critical tasks get their validation, subtasks, review or approval.'),
  'P7.rules': open('Rules are data, the highest class wins, and the router explains its choice.'),
  'P8.shared': open('Retry and breaker of the executors are those of the clients.'),
  'P9.metrics': open(
    '.taskmaster/metrics/integration.jsonl has the fields of the seed, measured, with cost and tokens.',
  ),
  'P9.summary': open("The summary equals the seed's function on the file."),
  'P10.agent': open("CloutAgent's own agent executes tasks."),
  'P10.claude-code': open('Claude Code executes tasks behind the budget gate and is never a dependency.'),
  'P10.command': open('Any command executes tasks.'),
};
