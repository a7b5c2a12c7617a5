export { PROFILE_NAMES, type ProfileName } from './profile.ts';
export type { LogEntry } from './request-log.ts';
export { loadScenario, runSimulator, type RunOptions } from './run.ts';
export {
  defaultScenario,
  type Answer,
  type Fault,
  type Matcher,
  type Rule,
  type Scenario,
  type Speech,
  type When,
} from './scenario.ts';
export { startSimulator, type Simulator, type SimulatorOptions } from './server.ts';
