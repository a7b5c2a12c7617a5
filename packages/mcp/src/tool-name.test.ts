import type { McpTool } from '@cloutagent/contract';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { toWireNames } from './tool-name.ts';

const tool = (server: string, name: string): McpTool => ({
  server,
  name,
  description: '',
  inputSchema: {},
  annotations: {},
});

test('names are mcp__server__tool, with illegal characters replaced', () => {
  expect([...toWireNames([tool('task', 'change.open'), tool('files', 'read_file')]).keys()]).toEqual([
    'mcp__files__read_file',
    'mcp__task__change_open',
  ]);
});

test('tools that would share a name each get a hash, and neither takes the plain name', () => {
  const names = [...toWireNames([tool('a', 'x.y'), tool('a', 'x/y')]).keys()];
  expect(names).toHaveLength(2);
  for (const name of names) expect(name).toMatch(/^mcp__a__x_y_[0-9a-f]{8}$/u);
});

test('[E6.wire-names] [E12] every set of tools maps to legal, sorted, reversible names that do not depend on its order', () => {
  const tools = fc.uniqueArray(
    fc.tuple(
      fc.constantFrom('a', 'a-b', 'files'),
      fc.oneof(fc.string({ maxLength: 200, unit: 'binary' }), fc.constantFrom('x.y', 'x_y', 'x/y', 'b__x')),
    ),
    {
      selector: ([server, name]) => `${server}\0${name}`,
      maxLength: 20,
    },
  );
  fc.assert(
    fc.property(tools, (pairs) => {
      const list = pairs.map(([server, name]) => tool(server, name));
      const names = toWireNames(list);
      expect(names.size).toBe(list.length);
      expect(new Set(names.values())).toEqual(new Set(list));
      for (const name of names.keys()) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,128}$/u);
      expect([...names.keys()]).toEqual([...names.keys()].sort());
      expect([...toWireNames(list.toReversed()).keys()]).toEqual([...names.keys()]);
    }),
  );
});
