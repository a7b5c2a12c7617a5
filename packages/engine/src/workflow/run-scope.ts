import { CloutError, type NodeOutcome, type WorkflowNode } from '@cloutagent/contract';
import type { RunScope, ScopeContext } from './context.ts';
import type { Drive } from './drive.ts';
import { Halt, isHalt } from './halt.ts';
import { runNodeTries, skipNode } from './try-node.ts';
import type { ScopeEdge } from './scope.ts';

/** Whether an edge carries something, now that its source has ended. */
const isTaken = (edge: ScopeEdge, outcome: NodeOutcome): boolean => {
  if (outcome.status === 'skipped') return false;
  if (outcome.branch === 'error') return edge.branch === 'error';
  if (edge.branch === 'error') return false;
  return edge.branch === undefined || outcome.branch === null || edge.branch === outcome.branch;
};

const JOIN = '\n\n';

/**
 * A node starts as soon as everything before it has ended, and is skipped where no edge to it was taken. Its input are the
 * outputs of the edges that were, in the order of the document. The first node that fails ends the scope: what is at work
 * finishes its step, and nothing new begins.
 */
export const runScope: RunScope = (outer, drive) => {
  const { scope, prefix, run } = outer;
  const outcomes = new Map<string, NodeOutcome>();
  const missing = new Map([...scope.nodes.keys()].map((id) => [id, (scope.incoming.get(id) ?? []).length]));
  let failure: Error | undefined;
  let working = 0;
  const context: ScopeContext = { ...outer, halted: () => failure !== undefined || outer.halted() };

  return new Promise<string>((resolve, reject) => {
    const finish = (): void => {
      if (working > 0) return;
      if (failure !== undefined) reject(failure);
      else if (outcomes.size === scope.nodes.size) resolve(resultOf(context, outcomes));
    };

    const fail = (error: Error): void => {
      if (failure !== undefined) return;
      failure = error;
      run.waits.drop(prefix);
    };

    const end = (id: string, outcome: NodeOutcome): void => {
      outcomes.set(id, outcome);
      if (outcome.status === 'failed' && outcome.branch !== 'error' && !goesOn(scope.nodes.get(id))) {
        const { code, message } = outcome.error ?? { code: 'NODE_FAILED', message: '' };
        fail(nodeFailure(`${prefix}${id}`, code, message));
        return;
      }
      for (const { target } of scope.outgoing.get(id) ?? []) {
        const left = (missing.get(target) ?? 0) - 1;
        missing.set(target, left);
        if (left === 0) start(target);
      }
    };

    const start = (id: string): void => {
      if (failure !== undefined) return;
      working += 1;
      const work = begin(context, drive, id, outcomes);
      void work
        .then(
          (outcome) => end(id, outcome),
          (error: unknown) => {
            if (!isHalt(error)) run.stop(error);
            fail(new Halt());
          },
        )
        .finally(() => {
          working -= 1;
          finish();
        });
    };

    for (const [id, left] of missing) if (left === 0) start(id);
    finish();
  });
};

const goesOn = (node: WorkflowNode | undefined): boolean => node?.onError === 'continue';

const nodeFailure = (place: string, code: string, message: string): CloutError =>
  new CloutError('NODE_FAILED', `Node ${place} failed: ${message}`, { details: { node: place, code } });

const begin = async (
  context: ScopeContext,
  drive: Drive,
  id: string,
  outcomes: ReadonlyMap<string, NodeOutcome>,
): Promise<NodeOutcome> => {
  const { scope } = context;
  const node = scope.nodes.get(id);
  if (node === undefined) throw new CloutError('INTERNAL_ERROR', `There is no node ${id}`);
  const incoming = scope.incoming.get(id) ?? [];
  const taken = incoming.filter((edge) => {
    const outcome = outcomes.get(edge.source);
    return outcome !== undefined && isTaken(edge, outcome);
  });
  if (incoming.length > 0 && taken.length === 0) return skipNode(context, drive, node);
  const input =
    incoming.length === 0
      ? context.input || defaultInput(node)
      : taken.map(({ source }) => inputFrom(outcomes.get(source))).join(JOIN);
  const outputOf = (name: string): string | undefined =>
    scope.before(id).has(name) ? outcomes.get(name)?.output : undefined;
  return runNodeTries(context, drive, node, input, outputOf, runScope);
};

/** Along an edge of an error goes what went wrong. */
const inputFrom = (outcome: NodeOutcome | undefined): string =>
  outcome?.branch === 'error' ? (outcome.error?.message ?? '') : (outcome?.output ?? '');

const defaultInput = ({ data }: WorkflowNode): string =>
  typeof data['defaultInput'] === 'string' ? data['defaultInput'] : '';

const resultOf = ({ scope }: ScopeContext, outcomes: ReadonlyMap<string, NodeOutcome>): string =>
  scope.results
    .map((id) => outcomes.get(id))
    .filter((outcome) => outcome?.status === 'done')
    .map((outcome) => outcome?.output ?? '')
    .join(JOIN);
