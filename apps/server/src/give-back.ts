import { Session } from 'node:inspector';
import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

/** Two quiet looks in a row are a pause in the work, and long enough that nobody waits for the collection. */
const LOOK_MS = 500;

/** A share of the event loop that the heartbeat of streams stays far below. */
const QUIET_SHARE = 0.05;

/** Less than this is not worth a pause of tens of milliseconds: it is about what one request may leave behind. */
const WORTH_BYTES = 16 * 1024 * 1024;

/**
 * Hands memory that a burst has left behind back to the machine once the burst is over. V8 keeps it until it is needed again, which
 * in a server whose runs all wait for people is never. Returns what ends the looking.
 */
export const giveMemoryBack = (collect: (done: () => void) => void = collectGarbage): (() => void) => {
  let before = performance.eventLoopUtilization();
  let quiet = 0;
  // What V8 keeps when nothing is left to give back.
  let kept = 0;
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization();
    const share = performance.eventLoopUtilization(now, before).utilization;
    before = now;
    quiet = share < QUIET_SHARE ? quiet + 1 : 0;
    if (quiet < 2 || getHeapStatistics().total_heap_size - kept < WORTH_BYTES) return;
    quiet = 0;
    // Until it is done nothing is worth another one.
    kept = Number.POSITIVE_INFINITY;
    collect(() => {
      kept = getHeapStatistics().total_heap_size;
    });
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
};

/** The only collection of V8 that a program can ask for and that shrinks what new objects live in, too. */
const collectGarbage = (done: () => void): void => {
  const session = new Session();
  session.connect();
  // V8 does it from the event loop, and not at all for a session that has left; one that leaves within the answer never returns.
  session.post('HeapProfiler.collectGarbage', () => {
    setImmediate(() => {
      session.disconnect();
      done();
    });
  });
};
