import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// What the bench of the Task MCP server asks, and the project that it asks about.

export const CHANGES = 1000;

export const HEADERS = { 'content-type': 'application/json', authorization: 'Bearer bench-token' };
const both = { ...HEADERS, accept: 'application/json, text/event-stream' };
const seed = (tool, input) => ({ path: '/mcp', headers: HEADERS, body: JSON.stringify({ tool, input }) });
const rpc = (method, params, headers = both) => ({
  path: '/mcp',
  headers,
  body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
});
const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
};
const modern = (method, params) =>
  rpc(
    method,
    { ...params, _meta: META },
    {
      ...both,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      'mcp-name': params.name ?? params.uri,
    },
  );

export const TASKS_URI = 'change://change-0500/tasks';
const ACTIVE = { name: 'changes.active', arguments: { limit: 50 } };
let opened = 0;
const newChange = () => {
  opened += 1;
  return { title: `Opened ${opened}`, slug: `opened-${opened}`, template: 'feature' };
};

/** The requests of each protocol, by what they ask. */
export const ASK = {
  'changes.active': {
    seed: () => seed('changes.active', { limit: 50 }),
    legacy: () => rpc('tools/call', ACTIVE),
    modern: () => modern('tools/call', ACTIVE),
  },
  'resource read': {
    seed: () => ({ path: '/mcp', headers: HEADERS, body: JSON.stringify({ method: 'resource/read', uri: TASKS_URI }) }),
    legacy: () => rpc('resources/read', { uri: TASKS_URI }),
    modern: () => modern('resources/read', { uri: TASKS_URI }),
  },
  'change.open': {
    seed: () => seed('change.open', newChange()),
    legacy: () => rpc('tools/call', { name: 'change.open', arguments: newChange() }),
    modern: () => modern('tools/call', { name: 'change.open', arguments: newChange() }),
  },
};

/**
 * Which answer a body asks for: `change.open`, `legacy change.open`, `modern resources/read`.
 * @param {{ tool?: string, method?: string, params?: { name?: string, _meta?: object } }} body
 */
export const questionOf = ({ tool, method, params }) =>
  params === undefined
    ? (tool ?? method)
    : `${params._meta === undefined ? 'legacy' : 'modern'} ${params.name ?? method}`;

/** A thousand changes, each with one other that touches the same requirement. */
export const makeProject = () => {
  const root = mkdtempSync(join(tmpdir(), 'cloutagent-bench-'));
  for (let index = 0; index < CHANGES; index += 1) {
    const slug = `change-${String(index).padStart(4, '0')}`;
    const folder = join(root, 'openspec/changes', slug);
    mkdirSync(join(folder, 'specs/bench'), { recursive: true });
    writeFileSync(join(folder, 'proposal.md'), `# Change ${index}\n\n## Why\n\nTo be listed.\n`);
    writeFileSync(join(folder, 'tasks.md'), '# Tasks\n\n## 1. Work\n\n- [ ] 1.1 First\n- [x] 1.2 Second\n');
    writeFileSync(
      join(folder, 'specs/bench/spec.md'),
      `## ADDED Requirements\n\n### Requirement: A ${Math.floor(index / 2)}\n\nIt SHALL be.\n`,
    );
  }
  return root;
};
