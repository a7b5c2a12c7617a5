import type { RunDetail, RunEvent, WorkflowDocument, WorkflowNode } from '@cloutagent/contract';

/** What a person was told about a run: whatever was acknowledged must hold, crash or not. */
export interface Told {
  /** `maybe`: the answer was lost with the server. */
  readonly cancelled: boolean | 'maybe';
  /** Ids of approvals that the person's decision was accepted for. */
  readonly decisions: ReadonlyMap<string, 'approved' | 'denied'>;
  /** Number of the run's last event when it was told to go on after a pause, where nobody paused it later. */
  readonly resumedAt: number | undefined;
  /** How often a person had a call repeated whose effect was unknown. */
  readonly repeats: number;
}

/** Everything about one run that was seen from outside. */
export interface History {
  readonly workflow: WorkflowDocument;
  /** What a reader was shown over all restarts. */
  readonly seen: readonly RunEvent[];
  readonly detail: RunDetail;
  readonly told: Told;
  /** Keys of the calls that tools which must not be repeated acted on, one for each time. */
  readonly sent: readonly string[];
}

interface Graph {
  readonly nodes: ReadonlyMap<string, WorkflowNode>;
  readonly edges: WorkflowDocument['edges'];
}

const ENDED: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled']);

/** Where a node stands: the scope's nodes and edges, and what the places in it begin with. */
const scopeOf = (workflow: WorkflowDocument, place: string): { readonly graph: Graph; readonly prefix: string } => {
  const parts = place.split('/');
  let nodes: readonly WorkflowNode[] = workflow.nodes;
  let edges: WorkflowDocument['edges'] = workflow.edges;
  // A place inside of a map is map/map[3]/node.
  for (let at = 0; at + 2 < parts.length; at += 2) {
    const map = nodes.find(({ id }) => id === parts[at]);
    if (map?.type !== 'map') throw new Error(`${place} is no place`);
    nodes = map.data.nodes;
    edges = [...map.data.edges];
  }
  return {
    graph: { nodes: new Map(nodes.map((node) => [node.id, node])), edges },
    prefix: place.slice(0, place.length - (parts.at(-1) ?? '').length),
  };
};

type Of<T extends RunEvent['body']['type']> = Extract<RunEvent['body'], { type: T }>;

/**
 * Holds the history of a run against a simple model of what may happen in one, and gives what does not fit, a sentence each:
 * every step has one result, nothing starts before what leads to it, nothing happens after the end, nothing that was
 * acknowledged is forgotten.
 */
export const checkHistory = (history: History): readonly string[] => {
  const { workflow, seen, detail, told, sent } = history;
  const problems: string[] = [];
  const say = (problem: string): void => void problems.push(`${detail.run.id}: ${problem}`);

  const nodes = new Map<string, Of<'node.finished'>['outcome']>();
  const started = new Set<string>();
  const attempts = new Map<string, number>();
  const once = new Set<string>();
  const first = (what: string): void => {
    if (once.has(what)) say(`${what} twice`);
    once.add(what);
  };
  let ended: string | undefined;

  const mayStart = (place: string, skipped: boolean): void => {
    const { graph, prefix } = scopeOf(workflow, place);
    const id = place.slice(prefix.length);
    if (!graph.nodes.has(id)) say(`${place} is no node`);
    const incoming = graph.edges.filter(({ target }) => target === id);
    const open = incoming.filter(({ source }) => !nodes.has(`${prefix}${source}`));
    if (open.length > 0) say(`${place} before ${open.map(({ source }) => source).join(', ')}`);
    const taken = incoming.filter(({ source, branch }) => {
      const outcome = nodes.get(`${prefix}${source}`);
      return outcome?.status !== 'skipped' && (branch === undefined || branch === outcome?.branch);
    });
    if (open.length === 0 && skipped !== (incoming.length > 0 && taken.length === 0)) {
      say(`${place} was ${skipped ? 'skipped' : 'reached'} against its edges`);
    }
    const around = prefix.split('/').slice(0, -2).join('/');
    if (around !== '' && !started.has(around)) say(`${place} before ${around}`);
  };

  const look = (body: RunEvent['body']): void => {
    switch (body.type) {
      case 'node.started':
        if (nodes.has(body.node)) say(`${body.node} started after it had ended`);
        if (!started.has(body.node)) mayStart(body.node, false);
        started.add(body.node);
        break;
      case 'node.finished': {
        first(`result of ${body.node}`);
        const skipped = body.outcome.status === 'skipped';
        if (skipped) mayStart(body.node, true);
        else if (!started.has(body.node)) say(`${body.node} ended and had not started`);
        for (const place of started) {
          if (place.startsWith(`${body.node}/`) && !nodes.has(place) && body.outcome.status === 'done')
            say(`${body.node} before ${place}`);
        }
        nodes.set(body.node, body.outcome);
        break;
      }
      case 'model.started':
        if (once.has(`result of ${body.step}`)) say(`${body.step} was asked again after its answer`);
        if (body.attempt <= (attempts.get(body.step) ?? -1)) say(`${body.step}#${body.attempt} twice`);
        attempts.set(body.step, body.attempt);
        break;
      case 'model.finished':
        first(`result of ${body.step}`);
        if (!attempts.has(body.step)) say(`${body.step} answered and was not asked`);
        break;
      case 'tool.started':
        first(`intent of ${body.step}`);
        break;
      case 'tool.finished':
        first(`result of ${body.step}`);
        if (!once.has(`intent of ${body.step}`)) say(`${body.step} has a result and no intent`);
        break;
      case 'approval.requested':
        first(`question ${body.approval}`);
        break;
      case 'approval.decided':
        first(`decision of ${body.approval}`);
        break;
      case 'run.state':
        if (ENDED.has(body.status)) ended = body.status;
        break;
      default:
    }
  };

  for (const [index, { seq, body }] of seen.entries()) {
    if (seq !== index + 1) say(`event ${seq} in the place of ${index + 1}`);
    if (ended !== undefined) say(`${body.type} after the end`);
    look(body);
    if (
      body.type === 'run.state' &&
      body.reason?.code === 'PAUSED' &&
      seq > (told.resumedAt ?? Number.POSITIVE_INFINITY)
    )
      say('paused after it was told to go on');
  }

  if (ended === undefined) say(`lost: it is ${detail.run.status}`);
  if (ended !== undefined && detail.run.status !== ended) say(`shown as ${ended}, stored as ${detail.run.status}`);
  if (detail.lastSeq !== seen.length) say(`${detail.lastSeq} events are stored, ${seen.length} were shown`);
  if (ended === 'cancelled' && told.cancelled === false) say('cancelled by nobody');
  if (ended !== 'cancelled' && told.cancelled === true) say(`${ended ?? 'open'} though it was cancelled`);
  if (ended === 'completed') {
    for (const { id } of workflow.nodes) if (!nodes.has(id)) say(`completed without ${id}`);
  }
  if (ended === 'failed' && ![...nodes.values()].some(({ status }) => status === 'failed'))
    say(`failed, and no node did: ${detail.run.reason?.message ?? ''}`);

  for (const [approval, status] of told.decisions) {
    const decided = seen.find(({ body }) => body.type === 'approval.decided' && body.approval === approval)?.body;
    if (decided?.type !== 'approval.decided' || decided.status !== status) say(`forgot that ${approval} was ${status}`);
  }
  checkRows(history, nodes, say);
  for (const key of new Set(sent)) {
    const times = sent.filter((one) => one === key).length;
    if (times > 1 + told.repeats) say(`${key} acted ${times} times, and a person let it ${told.repeats} times`);
  }
  return problems;
};

/** What was shown is what is stored, and each step is stored once. */
const checkRows = (
  { detail }: History,
  nodes: ReadonlyMap<string, Of<'node.finished'>['outcome']>,
  say: (problem: string) => void,
): void => {
  const rows = new Map(detail.steps.map((row) => [row.key, row]));
  if (rows.size !== detail.steps.length) say('a step has two rows');
  for (const [place, { status }] of nodes) {
    const stored = rows.get(place)?.output as { readonly status?: string } | undefined;
    if (stored?.status !== status)
      say(`${place} was shown as ${status} and is stored as ${stored?.status ?? 'nothing'}`);
  }
  for (const { key, kind } of detail.steps) {
    if (kind === 'node' && !nodes.has(key)) say(`${key} is stored and was never shown`);
  }
};
