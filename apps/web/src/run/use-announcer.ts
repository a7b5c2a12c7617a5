import { useEffect, useRef, useState } from 'react';

/** A screen reader is told at most this often; what came between is dropped in favour of the latest. */
const SPEAK_MS = 2_000;

/** The latest message, changed at most every two seconds: for a polite live region. */
export const useAnnouncer = (message: string): string => {
  const [spoken, setSpoken] = useState('');
  const latest = useRef(message);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    latest.current = message;
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      setSpoken(latest.current);
    }, SPEAK_MS);
  }, [message]);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  return spoken;
};
