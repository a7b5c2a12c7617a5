import { CloutError, type StepRow, type WorkflowDocument, type WorkflowRunDocument } from '@cloutagent/contract';
import { reachableFrom } from '@cloutagent/kit';
import { workflowRef } from './node/sub-workflow.ts';
import { toScope, type Scope } from './scope.ts';

/** A node on the way to a step: the scope that it stands in, and where that is. */
interface Place {
  readonly scope: Scope;
  readonly prefix: string;
  readonly id: string;
}

const notFound = (from: string): CloutError =>
  new CloutError('STEP_NOT_FOUND', `The run has no step ${from}`, { details: { step: from } });

const bodyOf = (
  document: WorkflowRunDocument,
  { scope, id }: Place,
): Pick<WorkflowDocument, 'nodes' | 'edges'> | undefined => {
  const node = scope.nodes.get(id);
  if (node?.type === 'map') return { nodes: [...node.data.nodes], edges: [...node.data.edges] };
  if (node?.type !== 'workflow') return undefined;
  const ref = workflowRef(node.data);
  return Object.hasOwn(document.workflows, ref) ? document.workflows[ref] : undefined;
};

/** The nodes that lead to a step, outermost first, and what of its key comes after the last of them. */
const placesOf = (
  document: WorkflowRunDocument,
  from: string,
): { readonly places: readonly Place[]; readonly rest: string } => {
  const parts = from.split('/');
  const places: Place[] = [];
  let scope = toScope(document.workflow.nodes, document.workflow.edges);
  let prefix = '';
  for (let at = 0; at < parts.length;) {
    const id = parts[at] ?? '';
    if (!scope.nodes.has(id)) throw notFound(from);
    const place = { scope, prefix, id };
    places.push(place);
    at += 1;
    const body = bodyOf(document, place);
    const isMap = scope.nodes.get(id)?.type === 'map';
    const next = parts[at];
    if (!isMap && next?.startsWith('map[') === true) throw notFound(from);
    if (body === undefined || next === undefined || next.startsWith('try[')) {
      return { places, rest: parts.slice(at).join('/') };
    }
    if (isMap && !next.startsWith('map[')) throw notFound(from);
    prefix = isMap ? `${prefix}${id}/${next}/` : `${prefix}${id}/`;
    at += isMap ? 1 : 0;
    // A whole item: from its first nodes on.
    if (at === parts.length) return { places, rest: parts.slice(at - 1).join('/') };
    scope = toScope(body.nodes, body.edges);
  }
  return { places, rest: '' };
};

const isAt = (key: string, place: string): boolean => key === place || key.startsWith(`${place}/`);

/**
 * The rows that a fork takes over: everything that does not depend on the step `from`, and of its own node what came before
 * it. A node's place stands for all of its steps. Throws STEP_NOT_FOUND.
 */
export const keptRows = (
  document: WorkflowRunDocument,
  steps: readonly StepRow[],
  from: string,
): readonly StepRow[] => {
  const { places, rest } = placesOf(document, from);
  const index = new Map(steps.map(({ key }, place) => [key, place]));
  const cut = index.get(from);
  if (rest !== '' && !rest.startsWith('map[') && cut === undefined) throw notFound(from);
  const dropped = (key: string): boolean =>
    places.some(({ scope, prefix, id }, depth) => {
      const place = `${prefix}${id}`;
      if (!key.startsWith(prefix)) return false;
      const below = key.slice(prefix.length).split('/', 1)[0] ?? '';
      if (below !== id) return reachableFrom([id], scope.edges).has(below);
      // How the node ended, and how its attempts did, depends on every step of it.
      if (key === place) return true;
      if (depth < places.length - 1) return new RegExp(String.raw`^try\[\d+\]`, 'u').test(key.slice(place.length + 1));
      if (rest === '') return true;
      if (rest.startsWith('map[')) return isAt(key, `${place}/${rest}`);
      return (index.get(key) ?? 0) >= (cut ?? 0);
    });
  const kept = steps.filter(({ key }) => !dropped(key));
  // Whoever is asked in the old run answers there; here the question is asked again.
  const keys = new Set(kept.map(({ key }) => key));
  return kept.filter(({ key, kind }) => kind !== 'approval' || keys.has(key.replace(/\/ask$/u, '/answer')));
};
