/** Seconds as a person reads them. */
export const seconds = (ms) => `${(ms / 1000).toFixed(ms < 9_950 ? 1 : 0)} s`;

/**
 * Says on stderr what is done, does it, and says how long it took; on failure shows why.
 * @param {string} name
 * @param {() => Promise<{ code: number, output: string }>} work
 * @returns {Promise<boolean>} whether it succeeded
 */
export const stage = async (name, work) => {
  const started = performance.now();
  process.stderr.write(`${name} …`);
  const { code, output } = await work();
  const took = seconds(performance.now() - started);
  if (code === 0) {
    process.stderr.write(` ${took}\n`);
    return true;
  }
  process.stderr.write(` failed after ${took}\n${output.trimEnd()}\n`);
  return false;
};
