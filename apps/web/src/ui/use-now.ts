import { systemClock } from '@cloutagent/kit';
import { useEffect, useState } from 'react';

/** The current time in milliseconds, renewed every `tickMs`; stands still while `running` is false. */
export const useNow = (tickMs: number, running = true): number => {
  const [now, setNow] = useState(() => systemClock.now());
  useEffect(() => {
    if (!running) return undefined;
    setNow(systemClock.now());
    const timer = setInterval(() => setNow(systemClock.now()), tickMs);
    return () => clearInterval(timer);
  }, [tickMs, running]);
  return now;
};
