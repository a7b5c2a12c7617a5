import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '@cloutagent/kit';

/** How busy this process is. */
export interface Load {
  /** Share of the refill that callers get now: 1, or 0.5 while the event loop is late. */
  speed(): number;
  /** Milliseconds by which the event loop was late, 99th percentile of the last look. */
  delayP99Ms(): number;
  close(): void;
}

const RESOLUTION_MS = 10;
/** Two thresholds, so that the speed does not flicker between them. */
const SLOW_ABOVE_MS = 100;
const FAST_BELOW_MS = 50;
/** Percentiles of less than a second are noise; longer would answer a jam too late. */
const LOOK_EVERY_MS = 1000;

/** Milliseconds that the event loop was late since the last call, 99th percentile. */
export const loopDelay = (): { read(): number; close(): void } => {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return {
    read() {
      // What Node records is the time between two ticks of its own timer.
      const late = histogram.count === 0 ? 0 : Math.max(0, histogram.percentile(99) / 1e6 - RESOLUTION_MS);
      histogram.reset();
      return late;
    },
    close: () => void histogram.disable(),
  };
};

/** Looks at the delay at most once a second, and only when somebody asks: an idle server runs no timer for it. */
export const watchLoad = (clock: Clock, delay: { read(): number; close(): void }): Load => {
  let lookedAt = clock.monotonic();
  let late = 0;
  let slow = false;
  const look = (): void => {
    const now = clock.monotonic();
    if (now - lookedAt < LOOK_EVERY_MS) return;
    lookedAt = now;
    late = delay.read();
    slow = slow ? late >= FAST_BELOW_MS : late > SLOW_ABOVE_MS;
  };
  return {
    speed() {
      look();
      return slow ? 0.5 : 1;
    },
    delayP99Ms() {
      look();
      return late;
    },
    close: () => delay.close(),
  };
};
