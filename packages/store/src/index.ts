export type { Delivery } from './alert.ts';
export type { ApprovalsQuery } from './approval.ts';
export type { ChangesQuery, LimitOrder } from './budget.ts';
export type { Slots } from './calendar.ts';
export type { CostGroup, CostRange, Costs, NodeHistory, PastUse } from './cost.ts';
export type { RunsQuery } from './detail.ts';
export { lockDataFolder, type DataFolderLock } from './lock.ts';
export type { Due } from './signal.ts';
export { openStore, type MoneyOptions, type Store, type StoreOptions } from './store.ts';
