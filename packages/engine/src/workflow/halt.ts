/** Unwinds a node that must not go on, because its run stops or what it stands in has failed. Why is known to who threw it. */
export class Halt extends Error {
  constructor() {
    super('The run stops here');
    this.name = 'Halt';
  }
}

export const isHalt = (error: unknown): boolean => error instanceof Error && error.name === 'Halt';
