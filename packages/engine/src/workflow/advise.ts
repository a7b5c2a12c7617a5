import {
  codeOf,
  type CloutError,
  type WorkflowDocument,
  type WorkflowEdge,
  type WorkflowFinding,
  type WorkflowNode,
} from '@cloutagent/contract';
import { expressionNames, templateNames } from '@cloutagent/kit';
import { priceFor, type PriceTable } from '../model/price.ts';
import { toScope } from './scope.ts';

/** What a workflow meets where it is to run. */
export interface Surroundings {
  readonly prices: PriceTable;
  /** Of agents that name none. */
  readonly model: string;
  /** Ids of the servers that nodes may name. */
  readonly servers: ReadonlySet<string>;
}

interface Body {
  readonly nodes: readonly WorkflowNode[];
  readonly edges: readonly WorkflowEdge[];
}

/** A document can be wrong in thousands of places; nobody reads more. */
const MAX_FINDINGS = 200;

/**
 * What a document that can be walked lacks in its surroundings, each finding at its node. Errors: a server that is not
 * registered, a model without a price. Warnings: a name that nothing fills in, an output or a condition without an input.
 * Throws WORKFLOW_INVALID for a document in which `inspectWorkflow` finds something.
 */
export const adviseWorkflow = (document: WorkflowDocument, around: Surroundings): readonly WorkflowFinding[] => {
  const findings: WorkflowFinding[] = [];
  const add = (finding: WorkflowFinding): void => {
    if (findings.length < MAX_FINDINGS) findings.push(finding);
  };
  const model = document.model ?? around.model;
  const variables = new Set(['input', ...Object.keys(document.variables)]);

  const visit = ({ nodes, edges }: Body, prefix: string): void => {
    const scope = toScope(nodes, edges);
    for (const node of nodes) {
      const place = `${prefix}${node.id}`;
      const before = scope.before(node.id);
      for (const name of namesOf(node)) {
        if (variables.has(name) || before.has(name)) continue;
        add({
          code: 'UNKNOWN_VARIABLE',
          severity: 'warning',
          node: place,
          message: scope.nodes.has(name)
            ? `{{${name}}} names a node that is not before this one`
            : `{{${name}}} is no variable, and no node before this one`,
          hint: 'Add it to variables, give it to the run (--var), or mend the name',
        });
      }
      if ((node.type === 'output' || node.type === 'condition') && nodes.length > 1 && before.size === 0) {
        add({
          code: 'MISSING_INPUT',
          severity: 'warning',
          node: place,
          message: 'No edge leads here, so that it is given the input of the run',
          hint: 'Draw an edge to it',
        });
      }
      for (const id of serversOf(node)) {
        if (around.servers.has(id)) continue;
        const hint = 'clout mcp list names the registered servers; clout mcp add registers one';
        add({ code: 'NO_SUCH_SERVER', severity: 'error', node: place, message: `There is no server ${id}`, hint });
      }
      const unpriced = node.type === 'agent' ? priceProblem(around.prices, node.data.model ?? model) : undefined;
      if (unpriced !== undefined) add({ ...unpriced, node: place });
      if (node.type === 'map') visit(node.data, `${place}/`);
    }
  };
  visit(document, '');
  return findings;
};

const priceProblem = (prices: PriceTable, model: string): Omit<WorkflowFinding, 'node'> | undefined => {
  try {
    priceFor(prices, model);
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'PRICE_UNKNOWN' && code !== 'MODEL_RETIRED') throw error;
    const { message, hint } = error as CloutError; // codeOf has seen that it is one
    return { code, severity: 'error', message, hint };
  }
};

const serversOf = (node: WorkflowNode): readonly string[] => {
  if (node.type === 'tool') return [node.data.server];
  if (node.type !== 'agent') return [];
  return (node.data.mcpServers ?? []).map((ref) => (typeof ref === 'string' ? ref : ref.id));
};

/** Names that the texts of a node ask for, each once. */
const namesOf = (node: WorkflowNode): ReadonlySet<string> => {
  if (node.type === 'condition') return new Set(expressionNames(node.data.expression));
  return new Set(textsOf(node).flatMap((text) => templateNames(text)));
};

const textsOf = (node: WorkflowNode): readonly string[] => {
  switch (node.type) {
    case 'agent':
      return [node.data.systemPrompt ?? '', node.data.prompt ?? ''];
    case 'tool':
      return textsIn(node.data.arguments);
    case 'template':
      return [node.data.template];
    case 'approval':
      return [node.data.message ?? ''];
    case 'task-graph':
      return [node.data.change];
    case 'workflow':
      return Object.values(node.data.variables);
    default:
      return [];
  }
};

const textsIn = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
};
