import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { decodedMappings, TraceMap } from '@jridgewell/trace-mapping';
import { ROOT } from './run.mjs';

/**
 * Places of a compiled file that stand for lines of ours: `{at, file, line}`, `at` in characters from its beginning. None
 * for a file without a source map.
 */
const placesIn = (url) => {
  const compiled = fileURLToPath(url);
  if (!existsSync(`${compiled}.map`)) return [];
  const begins = [0];
  for (const line of readFileSync(compiled, 'utf8').split('\n')) begins.push(begins.at(-1) + line.length + 1);
  const map = new TraceMap(readFileSync(`${compiled}.map`, 'utf8'));
  const sources = map.sources.map((source) => resolve(dirname(compiled), source ?? ''));
  return decodedMappings(map).flatMap((segments, row) =>
    segments
      .filter(([, source]) => source !== undefined && isOurs(sources[source]))
      .map(([column, source, line]) => ({ at: begins[row] + column, file: sources[source], line: line + 1 })),
  );
};

const isOurs = (file) => file.startsWith(ROOT) && !file.includes('node_modules');

/** How often each stretch of a script was run, as V8 tells it: the innermost range counts. */
const counterOf = (functions) => {
  const ranges = functions
    .flatMap((one) => one.ranges)
    .sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
  const stretches = [];
  const open = [];
  const close = () => stretches.push([open.pop().endOffset, open.at(-1)?.count ?? 1]);
  for (const range of ranges) {
    while (open.length > 0 && open.at(-1).endOffset <= range.startOffset) close();
    stretches.push([range.startOffset, range.count]);
    open.push(range);
  }
  while (open.length > 0) close();
  return (at) => {
    let [low, high] = [0, stretches.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (stretches[middle][0] <= at) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 1 : stretches[low - 1][1];
  };
};

/** None where the process was killed while it wrote. */
const scriptsIn = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).result;
  } catch {
    return [];
  }
};

/**
 * Lines of our sources that processes ran whose coverage Node wrote to `folder` (NODE_V8_COVERAGE): numbers from 1, by
 * file. Who was killed wrote nothing.
 */
export const linesOfProcesses = (folder) => {
  const here = pathToFileURL(ROOT).href;
  const lines = new Map();
  /** What nobody ran so far; whatever one process ran needs no look at the others. */
  const left = new Map();
  for (const name of readdirSync(folder)) {
    for (const { url, functions } of scriptsIn(join(folder, name))) {
      if (!url.startsWith(here) || url.includes('node_modules')) continue;
      const places = left.get(url) ?? placesIn(url);
      const countAt = counterOf(functions);
      left.set(
        url,
        places.filter(({ at, file, line }) => {
          if (countAt(at) === 0) return true;
          lines.set(file, (lines.get(file) ?? new Set()).add(line));
          return false;
        }),
      );
    }
  }
  return lines;
};

/** Lines of one file of vitest's report, with the number of times that each was run. */
export const linesOfReport = ({ statementMap, s }) => {
  const lines = new Map();
  for (const [id, { start }] of Object.entries(statementMap))
    lines.set(start.line, Math.max(lines.get(start.line) ?? 0, s[id]));
  return lines;
};
