export type { ApprovalsQuery } from './approval.ts';
export type { RunsQuery } from './detail.ts';
export { lockDataFolder, type DataFolderLock } from './lock.ts';
export type { Due } from './signal.ts';
export type { LimitedLevel } from './start.ts';
export { openStore, type Store, type StoreOptions } from './store.ts';
