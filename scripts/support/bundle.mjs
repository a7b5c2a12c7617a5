import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { packagesBelow } from './stale.mjs';
import { ROOT } from './run.mjs';

// Bundles: Node spends most of a short command's time on finding and compiling hundreds of modules.

/**
 * What is bundled, by its room: each program with all of its rooms, in chunks that are loaded when they are needed; the
 * contract, which every package loads, with the part of zod that it uses; and the thread of the store, which uses little of
 * the contract and is waited for by every start.
 */
const ENTRIES = {
  'packages/task-mcp': 'bin',
  'apps/cli': 'bin',
  'packages/contract': 'index',
  'packages/store': 'worker',
};
export const BUNDLES = Object.entries(ENTRIES).map(([room, entry]) => `${room}/dist/bundle/${entry}.js`);

/**
 * Packages of others that go into the bundle. Everything else stays what `node_modules` holds: what is native, loads
 * files beside itself or is loaded by none of the quick commands gains nothing here and may break.
 */
const INLINED = [
  '@anthropic-ai/sdk',
  '@modelcontextprotocol/client',
  '@modelcontextprotocol/core',
  '@modelcontextprotocol/server',
  // Helpers for syntax that Node 20 does not have (`using`).
  '@oxc-project/runtime',
  'commander',
  'find-my-way',
  'sirv',
  'yaml',
  'zod',
];

/** A server that runs while its bundle is made anew still loads chunks of the old one. */
const OLD_CHUNKS_MS = 24 * 60 * 60 * 1000;

const rooms = () =>
  [...packagesBelow('packages'), ...packagesBelow('apps')].map((room) => ({
    room,
    src: `${ROOT}${room}/src/`,
    name: JSON.parse(readFileSync(`${ROOT}${room}/package.json`, 'utf8')).name,
  }));

/**
 * A module goes on living, for its own paths, where the compiler put it: workers, assets and programs are found from
 * there, from `dist/bundle` as well as without it.
 */
const keepUrls = (own) => {
  const all = rooms();
  return {
    name: 'keep-urls',
    transform(code, id) {
      if (!code.includes('import.meta.url')) return null;
      const home = all.find(({ src }) => id.startsWith(src));
      if (home === undefined) return null;
      const file = relative(home.src, id).replace(/\.ts$/u, '.js');
      const url =
        home.room === own
          ? `new URL('../${file}', import.meta.url).href`
          : `new URL('./${file}', import.meta.resolve('${home.name}')).href`;
      // Lines stay where they are, so the map that the rest makes is right without one of ours.
      return { code: code.replaceAll('import.meta.url', url), map: null };
    },
  };
};

const LISTED = /export\s*\{([^}]*)\}\s*from\s*'(\.[^']+)'/gu;
const IMPORTED = /import\s*\{([^}]*)\}\s*from\s*'(@cloutagent\/[\w-]+)'/gu;
const namesIn = (list) =>
  list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '));

/** Name → file, of what the index of a room lists one by one. */
const filesByName = ({ src }) =>
  new Map(
    [...readFileSync(`${src}index.ts`, 'utf8').matchAll(LISTED)].flatMap(([, list, file]) =>
      namesIn(list).map((name) => [name, join(src, file)]),
    ),
  );

/**
 * Imports what a room's index lists from the file that it is in. Over the index everything that the room has would be
 * in the chunk of whoever needs one name of it.
 */
const pastIndexes = () => {
  const byRoom = new Map(
    rooms()
      .filter(({ src }) => existsSync(`${src}index.ts`))
      .map((room) => [room.name, filesByName(room)]),
  );
  const direct = (statement, list, room) => {
    const files = byRoom.get(room);
    const names = namesIn(list);
    if (files === undefined || names.length === 0 || names.some((name) => !files.has(name))) return statement;
    const imports = names.map((name) => `import { ${name} } from '${files.get(name)}'`).join(';');
    // As many lines as before, for the map.
    return imports + '\n'.repeat(statement.split('\n').length - 1);
  };
  return {
    name: 'past-indexes',
    transform: (code, id) =>
      id.endsWith('.ts') && !id.includes('/node_modules/') && code.includes('@cloutagent/')
        ? { code: code.replaceAll(IMPORTED, direct), map: null }
        : null,
  };
};

/**
 * The SDK's validator of JSON schemas is the larger half of it, and no server of ours asks a client for input that it
 * would have to check. It is loaded when somebody does.
 */
const lazyValidator = () => {
  const shims = '\0mcp-shims';
  return {
    name: 'lazy-validator',
    resolveId: (source) => (source === '@modelcontextprotocol/server/_shims' ? shims : null),
    load: (id) =>
      id === shims
        ? `import { createRequire } from 'node:module';
           export { default as process } from 'node:process';
           export class DefaultJsonSchemaValidator {
             #validator;
             getValidator(schema) {
               const load = createRequire(import.meta.url);
               this.#validator ??= new (load('@modelcontextprotocol/server/validators/ajv').AjvJsonSchemaValidator)();
               return this.#validator.getValidator(schema);
             }
           }`
        : null,
  };
};

const packageOf = (source) =>
  source
    .split('/')
    .slice(0, source.startsWith('@') ? 2 : 1)
    .join('/');

/** Decided where our own modules import; what an inlined package imports comes along with it. */
const isExternal = (source, importer) =>
  /^[@\w]/u.test(source) &&
  !source.startsWith('@cloutagent/') &&
  importer !== undefined &&
  !importer.includes('/node_modules/') &&
  !INLINED.includes(packageOf(source));

const removeOldChunks = (folder, written) => {
  for (const name of readdirSync(folder)) {
    const file = `${folder}/${name}`;
    if (!written.has(name) && Date.now() - statSync(file).mtimeMs > OLD_CHUNKS_MS) rmSync(file, { recursive: true });
  }
};

/** One bundle into `dir`, of what `input` names, for `room`. */
const bundle = async (rolldown, { input, room, dir }) => {
  const build = await rolldown({
    input,
    cwd: ROOT,
    platform: 'node',
    resolve: { conditionNames: ['@cloutagent/source', 'node', 'import', 'default'] },
    external: isExternal,
    transform: { target: 'node20.19' },
    plugins: [keepUrls(room), pastIndexes(), lazyValidator()],
    treeshake: {
      // Modules of ours only declare; the programs themselves are entries, which are kept.
      moduleSideEffects: (id) => id.includes('/node_modules/') && !/\/node_modules\/(?:zod|yaml)\//u.test(id),
    },
    logLevel: 'warn',
  });
  try {
    mkdirSync(dir, { recursive: true });
    // Names stay whole, so that a stack trace can be read without its map.
    const { output } = await build.write({
      dir,
      format: 'esm',
      sourcemap: true,
      chunkFileNames: '[name]-[hash].js',
      comments: { legal: true, annotation: false, jsdoc: false },
    });
    removeOldChunks(dir, new Set(output.map(({ fileName }) => fileName)));
  } finally {
    await build.close();
  }
};

/** Makes all bundles. */
export const bundleAll = async () => {
  try {
    const { rolldown } = await import('rolldown');
    for (const [room, entry] of Object.entries(ENTRIES)) {
      const input = { [entry]: `${ROOT}${room}/src/${entry}.ts` };
      await bundle(rolldown, { input, room, dir: `${ROOT}${room}/dist/bundle` });
    }
    return { code: 0, output: '' };
  } catch (error) {
    return { code: 1, output: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
};

/** Makes `dir`/`name`.js of one module, in the way in which the programs are made: for benches of what they contain. */
export const bundleModule = async (name, file, dir) => {
  const { rolldown } = await import('rolldown');
  await bundle(rolldown, { input: { [name]: file }, room: undefined, dir });
  writeFileSync(`${dir}/package.json`, '{ "type": "module" }\n');
};
