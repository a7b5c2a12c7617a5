import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { keepListing, listChanges, openProject } from '@cloutagent/openspec';
import { systemClock } from '@cloutagent/kit';
import { bundleModule } from '../scripts/support/bundle.mjs';
import { slugOf, writeProject } from './support/openspec-project.mjs';
import { median, plainEnv } from './support/process.mjs';

// Changes and specifications on disk, beside the openspec command and its library.

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CLOUT = `${ROOT}apps/cli/bin/clout.mjs`;
const MANY = 10_000;
// As many as the larger of two real projects that OpenSpec was measured with.
const FEW = 187;
const ROUNDS = 5;

export const area = 'openspec';
export const peers = { '@fission-ai/openspec': '1.13.2' };

/** CPU of one Node process with its threads, in milliseconds; it tells by itself at its end, on file descriptor 3. */
const cpuOfNode = (args, cwd) =>
  new Promise((resolve, reject) => {
    const hook =
      "process.on('exit', () => { const { user, system } = process.cpuUsage(); require('node:fs').writeSync(3, String((user + system) / 1000)); });";
    const child = spawn(
      process.execPath,
      [
        '--import',
        `data:text/javascript,import { createRequire } from 'node:module'; const require = createRequire('file:///'); ${hook}`,
        ...args,
      ],
      {
        cwd,
        stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
        env: { ...plainEnv, OPENSPEC_TELEMETRY: '0', DO_NOT_TRACK: '1', CI: 'true', NO_COLOR: '1' },
      },
    );
    let told = '';
    let errors = '';
    child.stdio[3].on('data', (chunk) => {
      told += chunk;
    });
    child.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(Number(told));
      else reject(new Error(`${args.join(' ')} ended with ${code}: ${errors.slice(-2000)}`));
    });
  });

const module = (code) => ['--input-type=module', '-e', code];

/**
 * Folders stay until the end of the bench: a file system passes over the places of files that were just deleted, which
 * costs whoever makes files next.
 */
const made = [];
const inFolder = async (count, work) => {
  const root = mkdtempSync(join(tmpdir(), 'cloutagent-bench-'));
  made.push(root);
  writeProject(root, count);
  return work(root);
};

const OURS = `
  import { keepListing, listChanges, openProject } from ${JSON.stringify(pathToFileURL(`${ROOT}packages/openspec/dist/index.js`).href)};
  import { systemClock } from ${JSON.stringify(pathToFileURL(`${ROOT}packages/kit/dist/index.js`).href)};
  const project = await openProject(process.cwd(), { clock: systemClock, caller: 'bench' });
`;

const LIST = `${OURS}
  const kept = keepListing(project);
  const { total } = await listChanges(kept, { limit: 200 });
  if (total !== ${MANY} || kept.listing.mode === 'direct') throw new Error('The index is not whole');
`;

/** Our library as the programs contain it: in a bundle, so that finding a hundred modules is not part of its start. */
const archiveByUs = (bundle) => `
  import { archiveChange, openProject, systemClock, validateChange } from ${JSON.stringify(pathToFileURL(bundle).href)};
  const project = await openProject(process.cwd(), { clock: systemClock, caller: 'bench' });
  for (const slug of ${JSON.stringify(Array.from({ length: FEW }, (_, index) => slugOf(index)))}) {
    const { valid } = await validateChange(project, slug);
    if (!valid) throw new Error(slug + ' is not valid');
    await archiveChange(project, { slug, principal: 'bench', allowIncomplete: true });
  }
`;

/** The classes behind the openspec command, in one process, so that its start is paid once as ours is. */
const archiveByLibrary = (library) => `
  import { Validator } from ${JSON.stringify(pathToFileURL(join(library, 'dist/core/validation/validator.js')).href)};
  import { ArchiveCommand } from ${JSON.stringify(pathToFileURL(join(library, 'dist/core/archive.js')).href)};
  for (const slug of ${JSON.stringify(Array.from({ length: FEW }, (_, index) => slugOf(index)))}) {
    const report = await new Validator(false).validateChangeDeltaSpecs('openspec/changes/' + slug, { mainSpecsDir: 'openspec/specs', projectRoot: process.cwd() });
    if (!report.valid) throw new Error(slug + ' is not valid');
    await new ArchiveCommand().execute(slug, { yes: true });
  }
`;

const LIMITS = { '1/5': 0.2, '1/2': 0.5 };

const compared = (name, ours, theirs, peer, limit) => ({
  name,
  value: ours,
  unit: 'CPU-ms',
  peers: { [peer]: theirs },
  ratio: ours / theirs,
  goal: `≤ ${limit} of it`,
  ok: ours / theirs <= LIMITS[limit],
});

async function* ofMany(openspec) {
  const root = mkdtempSync(join(tmpdir(), 'cloutagent-bench-'));
  try {
    writeProject(root, MANY);
    const ours = [];
    for (let round = 0; round < 3; round += 1) ours.push(await cpuOfNode(module(LIST), root));
    const theirs = await cpuOfNode([openspec, 'list', '--json'], root);
    yield compared(`cold index of ${MANY} changes`, median(ours), theirs, 'openspec list --json', '1/5');
    yield* warm(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function* warm(root) {
  const project = keepListing(await openProject(root, { clock: systemClock, caller: 'bench' }));
  try {
    yield* pagesOf(project);
  } finally {
    await project[Symbol.asyncDispose]();
  }
}

async function* pagesOf(project) {
  await listChanges(project);
  const times = [];
  for (let round = 0; round < 200; round += 1) {
    const began = performance.now();
    await listChanges(project);
    times.push(performance.now() - began);
  }
  const p50 = median(times);
  yield { name: 'first page, warm, p50', value: p50, unit: 'ms', peers: {}, ratio: null, goal: '≤ 5 ms', ok: p50 <= 5 };
  const speeds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = performance.now();
    let items = 0;
    for (let pageToken; ;) {
      const page = await listChanges(project, { limit: 200, pageToken });
      items += page.items.length;
      if (page.nextPageToken === null) break;
      pageToken = page.nextPageToken;
    }
    if (items !== MANY) throw new Error(`${items} changes were paged, not ${MANY}`);
    speeds.push((items / (performance.now() - began)) * 1000);
  }
  const speed = median(speeds);
  yield {
    name: 'pages of 200, one after another',
    value: speed,
    unit: 'items/s',
    peers: {},
    ratio: null,
    goal: '≥ 200000',
    ok: speed >= 200_000,
  };
}

export async function* run(context) {
  try {
    yield* figuresOf(context);
  } finally {
    for (const root of made.splice(0)) rmSync(root, { recursive: true, force: true });
  }
}

async function* figuresOf({ peersDir }) {
  const library = join(peersDir, 'node_modules/@fission-ai/openspec');
  const openspec = join(library, 'bin/openspec.js');
  yield* ofMany(openspec);

  // Three rounds each, in turns, on a new project every time: an archive happens once.
  const ours = [];
  const theirs = [];
  const bundle = join(peersDir, 'ours');
  await bundleModule('library', join(ROOT, 'bench/support/openspec-library.mjs'), bundle);
  const archive = module(archiveByUs(join(bundle, 'library.js')));
  for (let round = 0; round < 3; round += 1) {
    ours.push(await inFolder(FEW, (root) => cpuOfNode(archive, root)));
    theirs.push(await inFolder(FEW, (root) => cpuOfNode(module(archiveByLibrary(library)), root)));
  }
  const perChange = (all) => median(all) / FEW;
  const name = 'validate and archive, each';
  yield compared(name, perChange(ours), perChange(theirs), 'OpenSpec as a library', '1/5');

  yield* await inFolder(100, async (root) => {
    const figures = [];
    for (const [command, theirCommand] of [
      [
        ['change', 'list', '--json'],
        ['list', '--json'],
      ],
      [
        ['change', 'show', slugOf(1), '--json'],
        ['show', slugOf(1), '--json'],
      ],
      [
        ['change', 'validate', slugOf(1), '--json'],
        ['validate', slugOf(1), '--json'],
      ],
    ]) {
      const cpu = { ours: [], theirs: [] };
      for (let round = 0; round < ROUNDS; round += 1) {
        cpu.ours.push(await cpuOfNode([CLOUT, ...command], root));
        cpu.theirs.push(await cpuOfNode([openspec, ...theirCommand], root));
      }
      const label = `clout ${command.slice(0, 2).join(' ')}`;
      figures.push(compared(label, median(cpu.ours), median(cpu.theirs), `openspec ${theirCommand[0]}`, '1/2'));
    }
    return figures;
  });
}
