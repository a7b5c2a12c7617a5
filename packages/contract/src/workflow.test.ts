import { describe, expect, it } from 'vitest';
import { MAX_WORKFLOW_NODES, WorkflowDocument } from './workflow.ts';

describe('the workflow document', () => {
  it('[E8.document] takes the document of seed 003 as it is', () => {
    const parsed = WorkflowDocument.parse({
      nodes: [
        {
          id: 'agent-1',
          type: 'agent',
          data: {
            label: 'Assistant',
            model: 'claude-sonnet-4-5',
            systemPrompt: 'You are a helpful assistant.',
            temperature: 0.7,
            maxTokens: 1024,
            enabledTools: [],
            mcpServers: [{ id: 'fs', name: 'Files', command: 'npx', args: ['-y', 'x'], transport: 'stdio' }],
          },
        },
      ],
      edges: [],
    });
    expect(parsed).toMatchObject({
      format: 1,
      variables: {},
      nodes: [{ id: 'agent-1', data: { label: 'Assistant' } }],
    });
  });

  it('keeps a map with nodes of its own, and what the canvas adds', () => {
    const inner = { id: 'each', type: 'agent', data: { systemPrompt: 'One.' } };
    const parsed = WorkflowDocument.parse({
      nodes: [
        { id: 'in', type: 'input', position: { x: 1, y: 2 } },
        { id: 'all', type: 'map', data: { nodes: [inner] } },
      ],
      edges: [{ id: 'e1', source: 'in', target: 'all', sourceHandle: null, animated: true }],
    });
    expect(parsed.nodes[1]).toMatchObject({ data: { split: 'lines', join: 'paragraphs', maxItems: 100, edges: [] } });
    expect(parsed.nodes[0]).toMatchObject({ position: { x: 1, y: 2 }, data: {} });
  });

  it.each([
    [{ id: 'a/b', type: 'input' }, 'letters'],
    [{ id: 'a', type: 'agent', data: { maxTokens: 0 } }, ''],
    [{ id: 'a', type: 'map', data: { nodes: [], maxItems: 100_000 } }, ''],
    [{ id: 'a', type: 'unheard-of', data: {} }, ''],
  ])('refuses %j', (node, word) => {
    const parsed = WorkflowDocument.safeParse({ nodes: [node] });
    expect(parsed.success).toBe(false);
    expect(JSON.stringify(parsed.error?.issues)).toContain(word);
  });

  it('[D13] refuses 10,000 nodes with a word', () => {
    const nodes = Array.from({ length: 10_000 }, (_, n) => ({ id: `n${n}`, type: 'input' }));
    expect(WorkflowDocument.safeParse({ nodes }).error?.issues[0]?.message).toContain(String(MAX_WORKFLOW_NODES));
  });
});
