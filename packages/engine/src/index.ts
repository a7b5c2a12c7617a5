export { openAgents, type Agents, type AgentsDeps, type AgentTools } from './agent/agents.ts';
export { openConversation, toPrefix, withUser, type Conversation, type Prefix } from './agent/conversation.ts';
export { runAgent, type AgentEnd, type AgentRun } from './agent/loop.ts';
export type { ModelUse } from './agent/model-attempt.ts';
export type { Emit, ExecuteOptions } from './agent/execute.ts';
export type { AgentSignal, Observe } from './agent/observe.ts';
export { toDefinitions, type ToolPort } from './agent/tool-port.ts';
export {
  answersOf,
  BYTES_PER_TOKEN,
  CEILING_FACTOR,
  ceilingOf,
  estimateTask,
  GROWTH_TOKENS,
  type TaskEstimate,
  type TaskSize,
} from './budget/estimate.ts';
export {
  changeLevel,
  globalLevel,
  levelsOf,
  limitedLevels,
  nodeLimits,
  projectLevel,
  taskLevel,
  userLevel,
  type NodeLimits,
  type Spender,
} from './budget/levels.ts';
export { quoteNode, type NodeFacts, type NodeQuote } from './budget/quote.ts';
export { missedCost, missPico, type CacheMarks } from './model/cache.ts';
export { leastCallBound, loopBound } from './budget/reserve.ts';
export { createAnthropicModel, warmModels, type AnthropicOptions } from './model/anthropic.ts';
export type { PrefixTokens } from './model/bound.ts';
export {
  ModelCallError,
  type ContentBlock,
  type Message,
  type ModelAnswer,
  type ModelEvent,
  type ModelOptions,
  type ModelPort,
  type ModelRequest,
  type ToolDefinition,
} from './model/port.ts';
export { profileOf, PROVIDER_NAMES, PROVIDERS, type ProviderName, type ProviderProfile } from './model/profile.ts';
export type { ProxyAddresses } from './model/pool-fetch.ts';
export { knownPriceOf, loadPrices, priceFor, priceOf, type Price, type PriceTable } from './model/price.ts';
export { freePrice, resolveModel, type ResolvedModel } from './model/registry.ts';
export { driveBelow } from './workflow/below.ts';
export type { TaskGraph, WorkflowPorts } from './workflow/context.ts';
export { openDispatch, type Dispatch, type Job } from './workflow/dispatch.ts';
export { openDrive, type Drive, type DriveDeps } from './workflow/drive.ts';
export {
  CANCELLED,
  executeWorkflow,
  type DriveControl,
  type ExecuteDeps,
  type ExecuteWorkflowOptions,
} from './workflow/execute.ts';
export { keptRows } from './workflow/fork.ts';
export { hashOf } from './workflow/hash.ts';
export type { Journal } from './workflow/journal.ts';
export { openMemoryJournal, type MemoryJournal } from './workflow/memory-journal.ts';
export { replayWorkflow, type Divergence, type ReplayReport } from './workflow/replay.ts';
export type { PeoplePort } from './workflow/people.ts';
export type { SignalPort } from './workflow/waits.ts';
export { adviseWorkflow, type Surroundings } from './workflow/advise.ts';
export { diffWorkflows } from './workflow/diff.ts';
export { workflowRef } from './workflow/node/sub-workflow.ts';
export { inspectWorkflow } from './workflow/inspect.ts';
export { priceWorkflow, type NodePrice, type PriceTag } from './workflow/price-tag.ts';
