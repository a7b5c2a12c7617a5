/** In [0, 1), for jitter; never for ids or secrets. */
export const systemRandom = (): number => Math.random();
