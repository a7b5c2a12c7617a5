export type { CommandResult, LaneDeps, LaneJournal, RunCommand } from './deps.ts';
export { CANCELLED, driveRun, type DriveOptions } from './drive.ts';
export { planChange, type PlanRequest } from './plan.ts';
export { evidenceGate } from './evidence.ts';
export { makeReceipt, type ReceiptDraft } from './receipt.ts';
export { startRun, type StartRequest } from './start.ts';
