import { systemClock } from '@cloutagent/kit';
import { useEffect, useRef } from 'react';
import type { Action, Effect } from './actions.ts';

/** The second key of a pair has to follow within this. */
const PAIR_MS = 1_200;

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));

/** Runs actions by their keys; ⌘K and Ctrl+K open the palette. Keys in fields and dialogs stay theirs. */
export const useShortcuts = (actions: readonly Action[], perform: (effect: Effect) => void): void => {
  const first = useRef({ key: '', at: 0 });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() === 'k' && (event.metaKey || event.ctrlKey)) {
        event.preventDefault();
        perform({ kind: 'palette' });
        return;
      }
      if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented) return;
      if (isTyping(event.target) || document.querySelector('dialog[open]') !== null) return;
      const now = systemClock.monotonic();
      const pair = now - first.current.at < PAIR_MS ? `${first.current.key} ${event.key}` : '';
      const action =
        actions.find((candidate) => candidate.keys === pair) ??
        actions.find((candidate) => candidate.keys === event.key);
      first.current = { key: event.key, at: now };
      if (action === undefined) return;
      event.preventDefault();
      perform(action.effect);
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [actions, perform]);
};
