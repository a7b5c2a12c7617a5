/**
 * A figure of a bench as `run.mjs` shows it.
 * @param {{ others?: Record<string, number>, ratio?: number | null, goal?: string | null, ok?: boolean | null }} [more]
 */
export const figure = (name, value, unit, { others = {}, ratio = null, goal = null, ok = null } = {}) => ({
  name,
  value,
  unit,
  peers: others,
  ratio,
  goal,
  ok,
});
