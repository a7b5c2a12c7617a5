import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator, type Simulator } from './server.ts';

type Param = Anthropic.MessageParam;

const ROOT = '/work space/project';
const names = ['write_file', 'create_directory', 'read_text_file', 'list_directory'].map(
  (name) => `mcp__filesystem__${name}`,
);
const tools = names.map((name): Anthropic.Tool => ({ name, description: name, input_schema: { type: 'object' } }));

/** A filesystem server in a map: folders must exist before a file is written into them. */
const openFiles = (files: Record<string, string> = {}) => {
  const all = new Map(Object.entries(files).map(([path, text]) => [`${ROOT}/${path}`, text]));
  const folders = new Set([ROOT]);
  const addFolder = (folder: string): void => {
    if (folder.length <= ROOT.length) return;
    folders.add(folder);
    addFolder(folder.slice(0, folder.lastIndexOf('/')));
  };
  for (const path of all.keys()) addFolder(path.slice(0, path.lastIndexOf('/')));
  const list = (folder: string): string => {
    if (!folders.has(folder)) throw new Error('ENOENT');
    const inside = (path: string): boolean =>
      path.startsWith(`${folder}/`) && !path.slice(folder.length + 1).includes('/');
    const lines = [
      ...[...folders].filter(inside).map((path) => `[DIR] ${path}`),
      ...[...all.keys()].filter(inside).map((path) => `[FILE] ${path}`),
    ];
    return lines.map((line) => line.replace(`${folder}/`, '')).join('\n') || '(empty)';
  };
  const run = (name: string, { path = '', content = '' }: { path?: string; content?: string }): string => {
    if (name.endsWith('list_directory')) return list(path);
    if (name.endsWith('create_directory')) addFolder(path);
    if (name.endsWith('write_file')) {
      if (!folders.has(path.slice(0, path.lastIndexOf('/')))) throw new Error('parent does not exist');
      all.set(path, content);
    }
    if (!name.endsWith('read_text_file')) return `did ${name}`;
    const text = all.get(path);
    if (text === undefined) throw new Error('ENOENT');
    return text === '' ? '(no output)' : text;
  };
  return { run, all: () => Object.fromEntries([...all].map(([path, text]) => [path.slice(ROOT.length + 1), text])) };
};
type Files = ReturnType<typeof openFiles>;

const results = (files: Files, calls: readonly Anthropic.ToolUseBlock[]): Param => ({
  role: 'user',
  content: calls.map((call) => {
    const result = { type: 'tool_result' as const, tool_use_id: call.id };
    try {
      return {
        ...result,
        content: [{ type: 'text' as const, text: files.run(call.name, call.input as { path?: string }) }],
      };
    } catch (error) {
      return { ...result, content: String(error), is_error: true };
    }
  }),
});

describe('[X7.scenario] the default scenario', () => {
  let simulator: Simulator;
  let client: Anthropic;
  beforeAll(async () => {
    simulator = await startSimulator({ port: 0, host: '127.0.0.1' });
    client = new Anthropic({ baseURL: simulator.url, apiKey: 'any', maxRetries: 0 });
  });
  afterAll(() => simulator.close());

  /** The loop of a client: until no tool is called. Gives the names of the tools, turn by turn. */
  const work = async (
    files: Files,
    history: readonly Param[],
    offered = tools,
  ): Promise<{ turns: string[]; history: Param[]; said: string }> => {
    const messages: Param[] = [...history];
    const turns: string[] = [];
    for (;;) {
      const answer = await client.messages.create({
        model: 'claude-sonnet-5-5',
        max_tokens: 4000,
        system: `You work.\nProject folder: ${ROOT}\nUse the tools.`,
        tools: offered,
        messages,
      });
      messages.push({ role: 'assistant', content: answer.content });
      const calls = answer.content.filter((block) => block.type === 'tool_use');
      turns.push(calls.map(({ name }) => name.replace('mcp__filesystem__', '')).join(' '));
      expect(answer.stop_reason).toBe(calls.length > 0 ? 'tool_use' : 'end_turn');
      const said = answer.content.find((block) => block.type === 'text')?.text ?? '';
      expect(said).toMatch(/^Simulated: /u);
      if (calls.length === 0) return { turns, history: messages, said };
      messages.push(results(files, calls));
    }
  };
  const task = (title: string, checks: readonly string[] = [], notes = ''): readonly Param[] => [
    {
      role: 'user',
      content: [
        `Task 1.2: ${title}`,
        notes,
        ...(checks.length > 0 ? ['', 'Done means:', ...checks.map((check) => `- ${check}`)] : []),
      ].join('\n'),
    },
  ];
  const failed = (history: readonly Param[], checks: readonly string[]): readonly Param[] => [
    ...history,
    { role: 'user', content: ['These checks do not hold yet:', ...checks.map((check) => `- ${check}`)].join('\n') },
  ];

  it('looks, writes the files that checks ask for, and closes', async () => {
    const files = openFiles();
    const { turns, said } = await work(
      files,
      task('Write', [
        'file a.txt exists',
        'file b c.txt contains "one \\"two\\""',
        'file b c.txt contains "three\\n"',
        'command exits 0: true',
      ]),
    );
    expect(turns).toEqual(['list_directory', 'write_file write_file', '']);
    expect(files.all()).toEqual({
      'a.txt': 'Written by the CloutAgent simulator for task 1.2: Write\n',
      'b c.txt': 'one "two"\nthree\n\n',
    });
    expect(said).toContain('a.txt, b c.txt');
  });

  it('makes the folders of nested files in a turn before they are written', async () => {
    const files = openFiles();
    const { turns } = await work(files, task('Nest', ['file docs/deep/a.md contains "x"', 'file docs/b.md exists']));
    expect(turns[0]).toBe('list_directory create_directory create_directory');
    expect(turns.at(-2)).toBe('write_file write_file');
    expect(files.all()).toMatchObject({ 'docs/deep/a.md': 'x\n', 'docs/b.md': expect.any(String) as unknown });
  });

  it('adds to files that exist and loses nothing of them', async () => {
    const files = openFiles({ 'README.md': '# Mine', 'docs/a.md': 'old\n', 'docs/b.md': 'has x\n', empty: '' });
    await work(
      files,
      task('Add', [
        'file README.md contains "x"',
        'file docs/a.md contains "x"',
        'file docs/b.md contains "x"',
        'file docs/c.md contains "x"',
        'file empty contains "x"',
      ]),
    );
    expect(files.all()).toEqual({
      'README.md': '# Mine\nx\n',
      'docs/a.md': 'old\nx\n',
      'docs/b.md': 'has x\n',
      'docs/c.md': 'x\n',
      empty: 'x\n',
    });
  });

  it.each<readonly [string, string, readonly string[], Record<string, unknown>, Record<string, unknown>]>([
    ['title', 'T (wrong first)', ['file a.txt contains "x"'], { 'a.txt': '' }, { 'a.txt': 'x\n' }],
    ['notes', 'T', ['file a.txt exists'], { 'a.txt.draft': expect.any(String) }, { 'a.txt': expect.any(String) }],
  ])('does a task wrong first where its %s says so, then right', async (where, title, checks, first, second) => {
    const files = openFiles();
    const wrong = await work(files, task(title, checks, where === 'notes' ? 'Please (wrong first).' : ''));
    expect(files.all()).toEqual(first);
    const right = await work(files, failed(wrong.history, checks));
    expect(files.all()).toMatchObject(second);
    expect(right.turns).toEqual(['write_file', '']);
  });

  it('writes again what a check misses although it was written before', async () => {
    const files = openFiles();
    const checks = ['file d/a.txt contains "x"'];
    const { history } = await work(files, task('Gone', checks));
    const emptied = openFiles();
    const { turns } = await work(
      emptied,
      failed(history, ['file d/a.txt contains "x": the file contains "y"\n  - file not-me.txt exists']),
    );
    expect(turns).toEqual(['create_directory write_file', '']);
    expect(emptied.all()).toEqual({ 'd/a.txt': 'x\n' });
  });

  it.each<readonly [string, readonly Param[]]>([
    ['without checks', task('Think')],
    ['with commands only', task('Build', ['command exits 0: npm test'])],
    ['that is none', [{ role: 'user', content: 'Hello' }]],
  ])('closes a task %s in the first turn', async (_name, history) => {
    expect((await work(openFiles(), history)).turns).toEqual(['']);
  });

  it('repeats a write that failed once, then says that it is not finished', async () => {
    const files = openFiles();
    const run: Files['run'] = (name, input) => {
      if (name.endsWith('write_file')) throw new Error('EACCES');
      return files.run(name, input);
    };
    const { turns, said } = await work({ ...files, run }, task('Fail', ['file a.txt exists']));
    expect(turns).toEqual(['list_directory', 'write_file', 'write_file', '']);
    expect(said).toContain('not finished');
  });

  it('says what is missing without the tool to write with', async () => {
    const { turns, said } = await work(openFiles(), task('T', ['file a.txt exists']), tools.slice(1));
    expect(turns).toEqual(['']);
    expect(said).toContain('mcp__filesystem__write_file');
  });
});
