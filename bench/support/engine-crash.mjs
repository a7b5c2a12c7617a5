// Runs that stop for good inside of a tool, and the process that finishes them: argv = begin or resume, url, runs, folder.
import { openOurs } from './engine-ours.mjs';

const [, , act, url, runsText, folder] = process.argv;
const runs = Number(runsText);

const begin = async () => {
  let inside = 0;
  const hangs = () => {
    inside += 1;
    // All of them are in the middle: now this process may be killed.
    if (inside === runs) process.stdout.write('inside\n');
    return new Promise(() => {});
  };
  const engine = await openOurs({ url, folder, hangs });
  setInterval(() => undefined, 60_000);
  await Promise.all(Array.from({ length: runs }, () => engine.run()));
};

const resume = async () => {
  const engine = await openOurs({ url, folder });
  const left = await engine.unfinished();
  if (left.length !== runs) throw new Error(`${left.length} of ${runs} runs are left`);
  const claims = await Promise.all(left.map((id) => engine.drive(id)));
  if (claims.some(({ steps }) => steps.length !== 1)) throw new Error('A paid answer was lost');
  if ((await engine.unfinished()).length > 0) throw new Error('A run was not finished');
  process.stdout.write('finished\n');
  await engine.close();
  process.exit(0);
};

await (act === 'begin' ? begin() : resume());
