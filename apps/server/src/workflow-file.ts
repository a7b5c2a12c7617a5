import { CloutError, WorkflowDocument } from '@cloutagent/contract';
import { isMap, isNode, isSeq, LineCounter, parseDocument, stringify } from 'yaml';

/** Larger than any document that somebody edits; a run keeps a copy of it. */
const MAX_BYTES = 4 * 1024 * 1024;

/** A workflow as it was read from a file. */
export interface WorkflowFile {
  readonly workflow: WorkflowDocument;
  /** Line (from 1) of a node by its place, `map/inner` inside of a map; undefined where it is not to be found. */
  lineOf(place: string): number | undefined;
}

/** A workflow from YAML or JSON text. Throws WORKFLOW_INVALID, which says where (details: issues with path and line). */
export const parseWorkflow = (text: string, name: string): WorkflowFile => {
  const invalid = (message: string, details?: Readonly<Record<string, unknown>>): CloutError =>
    new CloutError('WORKFLOW_INVALID', `${name}: ${message}`, details === undefined ? {} : { details });
  if (Buffer.byteLength(text) > MAX_BYTES) throw invalid(`more than ${MAX_BYTES} bytes`);
  const lines = new LineCounter();
  // JSON is YAML. Aliases are bounded by the parser, so that a small text cannot become a large document.
  const document = parseDocument(text, { uniqueKeys: true, lineCounter: lines });
  const lineAt = (offset: number | undefined): number | undefined =>
    offset === undefined ? undefined : lines.linePos(offset).line;
  const [error] = document.errors;
  if (error !== undefined) {
    const message = error.message.split('\n', 1)[0] ?? 'no YAML';
    throw invalid(message, { issues: [{ path: '', line: lineAt(error.pos[0]), message }] });
  }
  /** Line of a path; of the nearest thing around it that exists. */
  const lineOfPath = (path: readonly PropertyKey[]): number | undefined => {
    for (let length = path.length; length >= 0; length -= 1) {
      const found = document.getIn(path.slice(0, length), true);
      if (isNode(found)) return lineAt(found.range?.[0]);
    }
    return undefined;
  };
  const parsed = WorkflowDocument.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (!parsed.success) {
    const issues = parsed.error.issues.slice(0, 20).map(({ path, message }) => ({
      path: path.join('.'),
      line: lineOfPath(path),
      message,
    }));
    const [first] = issues;
    const where = first?.line === undefined ? '' : ` (line ${first.line})`;
    throw invalid(`${first?.path ?? ''}: ${first?.message ?? 'not a workflow'}${where}`, { issues });
  }
  return {
    workflow: parsed.data,
    lineOf: (place) => {
      let body: unknown = document.contents;
      let line: number | undefined;
      for (const id of place.split('/')) {
        const nodes = isMap(body) ? body.get('nodes', true) : undefined;
        const node = isSeq(nodes) ? nodes.items.find((item) => isMap(item) && item.get('id') === id) : undefined;
        if (!isMap(node)) return line;
        line = lineAt(node.range?.[0]);
        body = node.get('data', true);
      }
      return line;
    },
  };
};

/** The text of a workflow, which reads as the same document again. */
export const formatWorkflow = (workflow: WorkflowDocument, format: 'yaml' | 'json'): string =>
  format === 'json' ? `${JSON.stringify(workflow, null, 2)}\n` : stringify(workflow, { lineWidth: 0 });
