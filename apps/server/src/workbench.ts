import path from 'node:path';
import { stat } from 'node:fs/promises';
import { CloutError, type Budget, type Principal } from '@cloutagent/contract';
import {
  createAnthropicModel,
  executeWorkflow,
  levelsOf,
  loadPrices,
  projectLevel,
  type ModelPort,
  type PriceTable,
  type WorkflowPorts,
} from '@cloutagent/engine';
import { principalOf, tokenTable } from '@cloutagent/http';
import { systemRandom, type Clock } from '@cloutagent/kit';
import { driveRun, evidenceGate, guardTools, makeReceipt, taskGraphOf, type LaneDeps } from '@cloutagent/lane';
import { keepListing, openProject, withCaller, type ArchiveOptions, type Project } from '@cloutagent/openspec';
import { openStore, type Store } from '@cloutagent/store';
import { placeholderKey, type Environment, type Settings } from './config.ts';
import type { Log } from './log.ts';
import { People } from './people.ts';
import { isPlanned, notePlanned } from './planned.ts';
import { applyConfiguredLimit } from './cost/configured-limit.ts';
import { AlertCourier } from './cost/courier.ts';
import { BudgetResumer } from './cost/resume.ts';
import { cancelRun, RunOwner, type Drive } from './run-owner.ts';
import { isTrusted } from './trust.ts';
import { openServerAgents, type ServerAgents } from './wire/agents.ts';
import { allowedEnvironment, createRunCommand } from './wire/run-command.ts';
import { SimulatorProcess } from './wire/simulator.ts';
import { openMcpServers, type McpServers } from './wire/mcp.ts';
import { openWorkflowVersions, type WorkflowVersions } from './workflow-versions.ts';
import { createToolSource } from './wire/tools.ts';
import { workflowPorts } from './wire/workflow.ts';

/** Everything that one data folder needs while this process owns it. */
export interface Workbench {
  readonly project: Project;
  readonly projectId: string;
  readonly settings: Settings;
  readonly store: Store;
  readonly owner: RunOwner;
  readonly agents: ServerAgents;
  /** Who answers what servers ask in the middle of a call. */
  readonly people: People;
  /** The registered MCP servers. */
  readonly mcp: McpServers;
  /** Tells the world of cost alerts. */
  readonly courier: AlertCourier;
  readonly clock: Clock;
  readonly dataDir: string;
  /** Goes on with runs that waited for money. */
  readonly resumer: BudgetResumer;
  readonly log: Log;
  readonly prices: PriceTable;
  /** Whether the model's server has a prompt cache. */
  readonly caches: (options: { readonly simulated: boolean }) => boolean;
  readonly workflowPorts: WorkflowPorts;
  /** Stored workflows. */
  readonly workflows: WorkflowVersions;
  /** The project as this caller sees it: leases belong to who calls. */
  projectFor(principal: Principal): Project;
  describeProject(): Promise<{ name: string; root: string; hasOpenspec: boolean; trusted: boolean }>;
  projectBudget(simulated: boolean): Promise<Budget | undefined>;
  /** What the lane works with. */
  laneDeps(): Promise<LaneDeps>;
  /** Throws MODEL_KEY_MISSING for a real run without a key. */
  requireModel(simulated: boolean): void;
  /** Throws STORAGE_FAILED where the data folder was removed under the server. */
  requireData(): Promise<void>;
  /**
   * What an archive by this caller asks of the run ledger. RUN_EXISTS while a run of the change is not finished,
   * CHANGE_TASKS_INCOMPLETE where done tasks need evidence and have none.
   */
  archiving(project: Project, allowIncomplete: boolean): Required<Pick<ArchiveOptions, 'gate' | 'receipt'>>;
  /** Notes that a change was planned here. */
  planned(slug: string): Promise<void>;
  close(): Promise<void>;
}

/** One data folder has one project for now; the id stands in every table so that more can come. */
const PROJECT_ID = 'default';

const isFolder = async (folder: string): Promise<boolean> => {
  try {
    return (await stat(folder)).isDirectory();
  } catch {
    return false;
  }
};

/** Opens the project and the store, and wires engine, lane, tools and model together. */
export const openWorkbench = async (options: {
  readonly root: string;
  readonly dataDir: string;
  readonly settings: Settings;
  /** The token of the data folder: who has it is the user of this machine. */
  readonly ownToken: string;
  readonly user: string;
  readonly environment: Environment;
  readonly log: Log;
  readonly clock: Clock;
  readonly requireData: () => Promise<void>;
  readonly simulatorCommand: readonly [string, ...string[]];
}): Promise<Workbench> => {
  const { root, dataDir, settings, environment, log, clock } = options;
  const money = { timeZone: settings.config.budget.timeZone, enforced: settings.costs.enforced };
  const courier = new AlertCourier({ webhook: settings.costs.webhook, clock, random: systemRandom, log });
  const store = await openStore({ dir: dataDir, clock, money: { ...money, onAlerts: () => courier.wake() } });
  courier.open(store);
  await applyConfiguredLimit(store, PROJECT_ID, settings.projectLimitNanoUsd);
  if (!settings.costs.enforced)
    log('warn', 'cost limits are off (ENABLE_COST_LIMITS=false): what runs cost is only recorded');
  const env = allowedEnvironment(environment);
  const ownTokenId = principalOf(tokenTable({ user: [], admin: [options.ownToken] }), options.ownToken)?.tokenId;
  const simulator = new SimulatorProcess(
    options.simulatorCommand,
    path.join(dataDir, 'simulator', 'requests.jsonl'),
    log,
  );
  const simulatorKey = placeholderKey();
  const mcp = await openMcpServers({
    root,
    dataDir,
    env,
    environment,
    clock,
    log,
    // Calls of runs bring somebody along who can be asked.
    elicit: async () => ({ action: 'cancel' }),
  });
  const people = new People(store, log);
  const tools = createToolSource(mcp);
  const project = keepListing(await openProject(root, { clock, caller: options.user }));
  const requireKey = (): string => {
    if (settings.anthropic.apiKey === undefined) {
      throw new CloutError('MODEL_KEY_MISSING', 'No key for the Messages API is set');
    }
    return settings.anthropic.apiKey;
  };
  // One each, so that all runs share its connections, its circuit and its budget of repetitions.
  const { url, profile, timeoutMs, proxy } = settings.anthropic;
  const real = createAnthropicModel({
    baseUrl: url,
    apiKey: settings.anthropic.apiKey,
    clock,
    profile,
    timeoutMs,
    proxy,
  });
  let simulated: { readonly url: string; readonly port: ModelPort } | undefined;
  const simulatedModel = async (): Promise<ModelPort> => {
    const baseUrl = await simulator.url();
    // Its port is another in every process; what was learned of it stays true.
    if (simulated?.url !== baseUrl) {
      const port = createAnthropicModel({ baseUrl, source: 'simulator', apiKey: simulatorKey, clock, timeoutMs });
      simulated = { url: baseUrl, port };
    }
    return simulated.port;
  };
  const model = async (onSimulator: boolean): Promise<ModelPort> => {
    if (onSimulator) return simulatedModel();
    requireKey();
    return real;
  };
  const prices = loadPrices(settings.costs.prices);
  const caches: Workbench['caches'] = ({ simulated: onSimulator }) => onSimulator || profile.sendCacheControl;
  const ports = workflowPorts({
    model,
    tools: async (servers) => guardTools(await tools.open(servers), { ...project, others: [dataDir] }),
    prices,
    store,
    taskGraph: taskGraphOf(() => laneDeps()),
    maxTokens: settings.config.run.maxTokens,
  });
  const lane: Omit<LaneDeps, 'trusted'> = {
    project,
    projectId: PROJECT_ID,
    journal: store,
    model: (run) => model(run.simulated),
    tools: () => tools.open(['filesystem', ...settings.config.run.mcpServers]),
    people,
    prices,
    caches,
    config: settings.config,
    clock,
    random: systemRandom,
    runCommand: createRunCommand(env),
    protected: [dataDir],
  };
  // Asked each time: trust can be given while the server runs.
  const laneDeps = async (): Promise<LaneDeps> => ({ ...lane, trusted: await isTrusted(root, environment) });
  const agents = openServerAgents({
    file: path.join(dataDir, 'agents.json'),
    journal: store,
    people,
    mcp,
    model,
    prices,
    projectId: PROJECT_ID,
    profile: (onSimulator) => (onSimulator ? undefined : profile),
    maxConcurrent: settings.maxConcurrent,
    clock,
  });
  const drive: Drive = async (runId, call) => {
    const { kind, status } = await store.kindOf(runId);
    // Promised before this process, which only has to write it.
    if (status === 'cancelling') return cancelRun(store, runId);
    if (kind === 'change') return driveRun(await laneDeps(), runId, call);
    const deps = { journal: store, signals: store, clock, random: systemRandom, people, ports };
    return executeWorkflow(deps, runId, {
      ...call,
      levels: (run) => levelsOf({ ...run, slug: run.document.slug }),
    });
  };
  const owner = new RunOwner(store, drive, log, {
    projectId: PROJECT_ID,
    concurrent: settings.maxConcurrent,
    clock,
  });
  const resumer = new BudgetResumer({
    store,
    projectId: PROJECT_ID,
    begin: (runId) => owner.begin(runId),
    clock,
    random: systemRandom,
    log,
  });

  return {
    project,
    projectId: PROJECT_ID,
    settings,
    store,
    owner,
    agents,
    people,
    mcp,
    courier,
    resumer,
    clock,
    dataDir,
    log,
    prices,
    caches,
    workflowPorts: ports,
    workflows: openWorkflowVersions(dataDir, clock),
    laneDeps,
    requireModel: (simulated) => {
      if (!simulated) requireKey();
    },
    projectFor: ({ name, tokenId }) =>
      tokenId === undefined || tokenId === ownTokenId ? project : withCaller(project, { caller: name, tokenId }),
    describeProject: async () => ({
      name: path.basename(root),
      root,
      hasOpenspec: await isFolder(project.openspecDir),
      trusted: await isTrusted(root, environment),
    }),
    projectBudget: async (simulated) => (await store.budgets([projectLevel(PROJECT_ID, simulated)]))[0],
    requireData: options.requireData,
    planned: async (slug) => notePlanned(dataDir, project, slug),
    archiving: (callers, allowIncomplete) => ({
      gate: async ({ slug, tasks }) =>
        evidenceGate(await laneDeps(), {
          slug,
          tasks,
          allowIncomplete,
          policy: settings.config.archive.evidence,
          isPlanned: await isPlanned(dataDir, project, slug),
        }),
      receipt: async (draft) => {
        const runId = await store.liveRunOf(PROJECT_ID, draft.slug);
        if (runId !== undefined) {
          throw new CloutError('RUN_EXISTS', `The change ${draft.slug} has a run that is not finished, ${runId}`, {
            hint: `Let it finish, or stop it: clout runs cancel ${runId}`,
            details: { runId },
          });
        }
        return makeReceipt(await laneDeps(), { ...draft, by: callers.caller });
      },
    }),
    close: async () => {
      await project[Symbol.asyncDispose]();
      await agents.close();
      resumer.close();
      await courier.close();
      await tools.close();
      await mcp.close();
      simulator.close();
      await store.close();
    },
  };
};
