export type { CommandResult, LaneDeps, LaneJournal, RunCommand } from './deps.ts';
export { driveRun, type DriveOptions } from './drive.ts';
export { guardTools, type Guarded } from './guard.ts';
export { planChange, type PlanRequest } from './plan.ts';
export { evidenceGate } from './evidence.ts';
export { makeReceipt, type ReceiptDraft } from './receipt.ts';
export { taskGraphOf } from './task-graph.ts';
export { startRun, type StartRequest } from './start.ts';
