import { CloutError, WorkflowDocument } from '@cloutagent/contract';
import { parseDocument } from 'yaml';

/** Larger than any document that somebody edits; a run keeps a copy of it. */
const MAX_BYTES = 4 * 1024 * 1024;

/** A workflow from YAML or JSON text. Throws WORKFLOW_INVALID, which says where. */
export const parseWorkflow = (text: string, name: string): WorkflowDocument => {
  const invalid = (message: string, details?: Readonly<Record<string, unknown>>): CloutError =>
    new CloutError('WORKFLOW_INVALID', `${name}: ${message}`, details === undefined ? {} : { details });
  if (Buffer.byteLength(text) > MAX_BYTES) throw invalid(`more than ${MAX_BYTES} bytes`);
  // JSON is YAML. Aliases are bounded by the parser, so that a small text cannot become a large document.
  const document = parseDocument(text, { uniqueKeys: true });
  const [error] = document.errors;
  if (error !== undefined) throw invalid(error.message.split('\n', 1)[0] ?? 'no YAML');
  const parsed = WorkflowDocument.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.slice(0, 20).map(({ path, message }) => ({ path: path.join('.'), message }));
  const [first] = issues;
  throw invalid(`${first?.path ?? ''}: ${first?.message ?? 'not a workflow'}`, { issues });
};
