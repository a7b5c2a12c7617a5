import { CloutError, type MapNode } from '@cloutagent/contract';
import type { NodeResult, NodeWork, RunScope } from '../context.ts';
import { Halt, isHalt } from '../halt.ts';
import { toScope } from '../scope.ts';

const split = (how: MapNode['data']['split'], input: string): readonly string[] => {
  if (how === 'lines') return input.split('\n').filter((line) => line.trim() !== '');
  if (how === 'paragraphs') return input.split(/\n[ \t]*\n/u).filter((part) => part.trim() !== '');
  let value: unknown;
  try {
    value = JSON.parse(input);
  } catch (cause) {
    throw new CloutError('NODE_FAILED', 'The input of the map is not JSON', { cause });
  }
  if (!Array.isArray(value)) throw new CloutError('NODE_FAILED', 'The input of the map is not a JSON array');
  return value.map((item: unknown) => (typeof item === 'string' ? item : JSON.stringify(item)));
};

/** Runs the body for every item; what the bodies give is joined in the order of the items. */
export const runMapNode = async (work: NodeWork<MapNode>, runScope: RunScope): Promise<NodeResult> => {
  const { node, place, input, context, drive } = work;
  const { data } = node;
  const items = split(data.split, input);
  if (items.length > data.maxItems) {
    throw new CloutError('NODE_FAILED', `The map has ${items.length} items, and at most ${data.maxItems} are allowed`);
  }
  const scope = toScope(data.nodes, data.edges);
  const { run } = context;
  const outputs: string[] = [];
  let failed = false;
  let next = 0;
  const halted = (): boolean => failed || context.halted();
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length && !halted(); index = next++) {
      const prefix = `${place}/map[${index}]/`;
      const depth = context.depth + 1;
      const inner = { ...context, scope, prefix, input: items[index] ?? '', depth, repeated, halted };
      try {
        outputs[index] = await runScope(inner, drive);
      } catch (error) {
        if (!failed) {
          failed = true;
          // Other items may wait for somebody whose answer is of no use any more.
          run.waits.drop(`${place}/`);
        }
        throw error;
      }
    }
  };
  // Beyond the slots of the run more workers would only wait.
  const workers = Math.min(items.length, data.concurrency ?? run.ports.defaults.concurrency);
  // Items that are begun at once cannot read what one of them is only writing to the cache.
  const repeated = context.repeated || items.length > 2 * workers;
  await run.activity.outside(async () => {
    const ended = await Promise.allSettled(Array.from({ length: workers }, worker));
    const errors = ended.flatMap((result): unknown[] => (result.status === 'rejected' ? [result.reason] : []));
    // The one that failed by itself says more than those that were stopped for it.
    if (errors.length > 0) throw errors.find((error) => !isHalt(error)) ?? errors[0];
  });
  if (context.halted()) throw new Halt();
  return {
    output: data.join === 'json' ? JSON.stringify(outputs) : outputs.filter((part) => part !== '').join('\n\n'),
  };
};
