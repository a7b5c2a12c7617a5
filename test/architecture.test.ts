import { dirname, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectFiles, readProjectFile, roomOf, sourceFiles, testFiles } from './support/files.ts';
import { BROWSER_ROOMS, MAY_IMPORT, mayReadEnvironment, VENDOR_HOMES } from './support/rooms.ts';
import { importsOf, scan } from './support/scan.ts';

interface Source {
  readonly file: string;
  readonly room: string;
  readonly text: string;
  readonly code: string;
  readonly imports: readonly string[];
}

const sources: readonly Source[] = sourceFiles().map((file) => {
  const text = readProjectFile(file);
  return { file, room: roomOf(file), text, code: scan(text).code, imports: importsOf(text) };
});

/** `file:line what` for every match, so that a failure reads like a list of places to go to. */
const places = (source: { readonly file: string; readonly code: string }, pattern: RegExp): readonly string[] =>
  [...source.code.matchAll(pattern)].map(
    (match) => `${source.file}:${source.code.slice(0, match.index).split('\n').length} ${match[0].trim()}`,
  );

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

describe('[X8.layers] rooms', () => {
  it('finds the sources', () => {
    expect(sources.length).toBeGreaterThan(30);
  });

  it('are all drawn', () => {
    expect(sources.filter(({ room }) => !Object.hasOwn(MAY_IMPORT, room)).map(({ file }) => file)).toEqual([]);
  });

  it('import only rooms below them', () => {
    const wrong = sources.flatMap(({ file, room, imports }) =>
      imports
        .filter((specifier) => specifier.startsWith('@cloutagent/'))
        .filter((specifier) => !(MAY_IMPORT[room] ?? []).includes(specifier.slice('@cloutagent/'.length)))
        .map((specifier) => `${file} imports ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  it('declare what they import, and nothing else of ours', () => {
    const wrong = Object.keys(MAY_IMPORT).flatMap((room) => {
      const manifest = JSON.parse(readProjectFile(`${room}/package.json`)) as { dependencies?: Record<string, string> };
      const declared = Object.keys(manifest.dependencies ?? {}).filter((name) => name.startsWith('@cloutagent/'));
      const used = new Set(
        sources.filter((source) => source.room === room).flatMap(({ imports }) => imports.map(packageOf)),
      );
      const ours = [...used].filter((name) => name.startsWith('@cloutagent/'));
      return [
        ...ours.filter((name) => !declared.includes(name)).map((name) => `${room} does not declare ${name}`),
        ...declared.filter((name) => !used.has(name)).map((name) => `${room} declares ${name} and does not use it`),
      ];
    });
    expect(wrong).toEqual([]);
  });

  it('stay inside themselves with relative imports', () => {
    const wrong = sources.flatMap(({ file, room, imports }) =>
      imports
        .filter((specifier) => specifier.startsWith('.'))
        .filter((specifier) => !posix.join(dirname(file), specifier).startsWith(`${room}/src/`))
        .filter((specifier) => !specifier.endsWith('/package.json'))
        .map((specifier) => `${file} imports ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  it('have no import cycle, type imports included', () => {
    const graph = new Map(
      sources.map(({ file, imports }) => [
        file,
        imports
          .filter((specifier) => specifier.startsWith('.'))
          .map((specifier) => posix.join(dirname(file), specifier)),
      ]),
    );
    const cycles: string[] = [];
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      if (done.has(file) || path.includes(file)) return;
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of graph.keys()) visit(file, []);
    expect(cycles).toEqual([]);
  });

  it('list their public names one by one', () => {
    const starred = sources
      .filter(({ file, room }) => file === `${room}/src/index.ts` && room !== 'packages/contract')
      .flatMap((source) => places(source, /\bexport\s+(?:type\s+)?\*/gu));
    expect(starred).toEqual([]);
  });
});

describe('code', () => {
  it('of browser rooms imports nothing of Node', () => {
    const wrong = sources
      .filter(({ room }) => BROWSER_ROOMS.includes(room))
      .flatMap(({ file, imports }) =>
        imports.filter((specifier) => specifier.startsWith('node:')).map((specifier) => `${file} imports ${specifier}`),
      );
    expect(wrong).toEqual([]);
  });

  it('reads the environment in config.ts and bins only', () => {
    const wrong = sources
      .filter(({ file }) => !mayReadEnvironment(file))
      .flatMap((source) => places(source, /\bprocess\s*(?:\?\.|\.)\s*env\b|\bprocess\s*\[|\bimport\.meta\.env\b/gu));
    expect(wrong).toEqual([]);
  });

  it('asks for time and chance in kit only', () => {
    const clocks =
      /\bDate\s*\.\s*now\b|\bMath\s*\.\s*random\b|\bperformance\s*\.\s*now\b|\bprocess\s*\.\s*hrtime\b|\bnew\s+Date\(\s*\)/gu;
    expect(sources.filter(({ room }) => room !== 'packages/kit').flatMap((source) => places(source, clocks))).toEqual(
      [],
    );
  });

  it('imports each vendor where it belongs, and nowhere else', () => {
    const wrong = Object.entries(VENDOR_HOMES).flatMap(([vendor, homes]) => {
      const users = sources
        .filter(({ imports }) => imports.some((specifier) => packageOf(specifier) === vendor))
        .map(({ file }) => file);
      return [
        ...users.filter((file) => !homes.includes(file)).map((file) => `${vendor} does not belong into ${file}`),
        ...homes.filter((file) => !users.includes(file)).map((file) => `${file} does not import ${vendor}`),
      ];
    });
    expect(wrong).toEqual([]);
  });

  it('has no any, no non-null assertion and no silenced compiler', () => {
    const silenced = sources.flatMap(({ file, text }) =>
      text
        .split('\n')
        .flatMap((line, index) => (/@ts-(?:ignore|nocheck|expect-error)/u.test(line) ? [`${file}:${index + 1}`] : [])),
    );
    const escapes = /(?::|\bas|<|,|\|)\s*any\b(?!\w)|[\w)\]]!(?=[.[(;,)\]}\s])(?!\s*=)/gu;
    expect([...silenced, ...sources.flatMap((source) => places(source, escapes))]).toEqual([]);
  });

  it('silences the linter only with a reason', () => {
    const wrong = sources.flatMap(({ file, text }) =>
      text
        .split('\n')
        .flatMap((line, index) =>
          /(?:oxlint|eslint)-disable(?!.* -- \S)/u.test(line) ? [`${file}:${index + 1}`] : [],
        ),
    );
    expect(wrong).toEqual([]);
  });
});

describe('files', () => {
  it('of TypeScript and scripts have 300 lines at most', () => {
    const long = projectFiles()
      .filter((file) => /\.(?:ts|tsx|mjs)$/u.test(file))
      .map((file) => ({ file, lines: readProjectFile(file).trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > 300);
    expect(long).toEqual([]);
  });

  it('are named in kebab-case', () => {
    const odd = [...sourceFiles(), ...testFiles()].filter((file) => !/^[a-z0-9./-]+$/u.test(file));
    expect(odd).toEqual([]);
  });

  it('of tests mock no module and leave nothing focused', () => {
    const wrong = testFiles().flatMap((file) =>
      places(
        { file, code: scan(readProjectFile(file)).code },
        /\bvi\s*\.\s*(?:mock|doMock)\b|\b(?:it|test|describe)\.only\b/gu,
      ),
    );
    expect(wrong).toEqual([]);
  });
});
