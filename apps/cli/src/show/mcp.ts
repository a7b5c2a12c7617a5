import {
  errorSpec,
  type McpDrift,
  type McpServerStatus,
  type McpTestStep,
  type McpTool,
  type McpToolResult,
} from '@cloutagent/contract';
import { oneLine, plain, type Style } from '../output.ts';
import { table } from './table.ts';

const whatOf = ({ config }: McpServerStatus): string =>
  config.transport === 'stdio' ? [config.command, ...config.args].join(' ') : config.url;

const stateOf = (status: McpServerStatus, style: Style): string => {
  if (!status.config.enabled) return style.dim('off');
  if (!status.approved) return style.yellow('not approved');
  if (status.state === 'quarantined') return style.red(`quarantined until ${status.retryAt ?? 'soon'}`);
  return status.state === 'ready' ? style.green('ready') : status.state;
};

const driftOf = (drift: McpDrift | undefined): string =>
  drift === undefined
    ? ''
    : [
        ...drift.added.map((name) => `+${name}`),
        ...drift.changed.map((name) => `~${name}`),
        ...drift.removed.map((name) => `-${name}`),
      ].join(' ');

export const showServers = (servers: readonly McpServerStatus[], style: Style): string =>
  table(
    [
      { title: 'ID', paint: style.bold },
      { title: 'STATE' },
      { title: 'TOOLS', align: 'right' as const },
      { title: 'OFF' },
      { title: 'WHAT' },
    ],
    servers.map((status) => [
      status.config.id,
      stateOf(status, style),
      status.tools === undefined ? '' : String(status.tools),
      driftOf(status.drift),
      oneLine(whatOf(status), 80),
    ]),
    style.dim,
  );

/** One server with all that would be started or called. */
export const showServer = (status: McpServerStatus, style: Style): string => {
  const { config } = status;
  const values = config.transport === 'stdio' ? config.env : config.headers;
  const drift = driftOf(status.drift);
  return [
    `${style.bold(config.id)}  ${stateOf(status, style)}`,
    plain(config.transport === 'stdio' ? config.command : config.url),
    ...(config.transport === 'stdio' ? config.args.map((arg) => `  ${plain(arg)}`) : []),
    ...Object.entries(values).map(([name, value]) => `  ${name}=${plain(value)}`),
    ...(drift === '' ? [] : [style.yellow(`off until approved: ${drift}`)]),
    ...(status.lastError === undefined ? [] : [style.red(oneLine(status.lastError))]),
    style.dim(`digest ${status.digest}`),
  ].join('\n');
};

export const showPresets = (
  presets: readonly {
    readonly id: string;
    readonly title: string;
    readonly args: string;
    readonly package?: { readonly name: string; readonly version: string } | undefined;
  }[],
  style: Style,
): string =>
  table(
    [{ title: 'PRESET', paint: style.bold }, { title: 'WHAT' }, { title: 'ARGUMENTS' }, { title: 'PACKAGE' }],
    presets.map(({ id, title, args, package: from }) => [
      id,
      title,
      args,
      from === undefined ? 'comes with CloutAgent' : `${from.name}@${from.version}`,
    ]),
    style.dim,
  );

const showStep = (step: McpTestStep, style: Style): string => {
  const took = style.dim(`${step.ms} ms`);
  if (step.step === 'spawn') return `started     ${took}  ${oneLine(step.command, 100)}`;
  if (step.step === 'connect') return `calling     ${took}  ${oneLine(step.url, 100)}`;
  if (step.step === 'initialize') {
    const { name, version } = step.serverInfo ?? { name: 'unnamed', version: '' };
    return `initialized ${took}  ${oneLine(`${name} ${version}`, 60)}, protocol ${plain(step.protocolVersion)}`;
  }
  if (step.step === 'tools/list')
    return `tools       ${took}  ${step.tools.length}: ${oneLine(step.tools.map(({ name }) => name).join(', '), 200)}`;
  if (step.step === 'done') return style.green(`works       ${step.ms} ms`);
  const stderr = step.stderr === '' ? '' : `\n${style.dim(plain(step.stderr))}`;
  return `${style.red('failed')}      ${took}  ${oneLine(step.error)}${stderr}\n${style.dim(errorSpec(step.code).hint)}`;
};

export const showTest = (steps: readonly McpTestStep[], style: Style): string =>
  steps.map((step) => showStep(step, style)).join('\n');

export const showTools = (
  { tools, drift }: { readonly tools: readonly McpTool[]; readonly drift?: McpDrift | undefined },
  style: Style,
): string => {
  const rows = tools.map(({ name, annotations, description }) => [
    name,
    annotations.readOnlyHint === true ? 'reads' : annotations.destructiveHint === false ? 'adds' : 'may change',
    oneLine(description, 80),
  ]);
  const columns = [{ title: 'TOOL', paint: style.bold }, { title: 'EFFECT' }, { title: 'WHAT' }];
  const off = driftOf(drift);
  return table(columns, rows, style.dim) + (off === '' ? '' : `\n${style.yellow(`off until approved: ${off}`)}`);
};

export const showCall = ({ content }: Pick<McpToolResult, 'content'>): string =>
  content
    .map((item) => (typeof item['text'] === 'string' ? plain(item['text']) : `[${String(item['type'])}]`))
    .join('\n');
