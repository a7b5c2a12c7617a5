import { expect } from 'vitest';

/** Rooms that read what strangers write. */
const ROOMS = /\/packages\/(?:http|openspec|task-mcp)\//u;

/** Whoever writes to the prototype of all objects, through whatever name of a member, fails instead of changing them all. */
if (ROOMS.test(expect.getState().testPath ?? '')) Object.freeze(Object.prototype);
