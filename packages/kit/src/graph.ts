/** An arrow between two nodes of a graph. */
export interface Arrow {
  readonly source: string;
  readonly target: string;
}

const bySource = (arrows: readonly Arrow[]): ReadonlyMap<string, readonly string[]> => {
  const targets = new Map<string, string[]>();
  for (const { source, target } of arrows) {
    const known = targets.get(source);
    if (known === undefined) targets.set(source, [target]);
    else known.push(target);
  }
  return targets;
};

/** `ids` so that every arrow leads forwards; undefined where the arrows go in a circle. Arrows of unknown nodes are left out. */
export const topologicalOrder = (ids: readonly string[], arrows: readonly Arrow[]): readonly string[] | undefined => {
  const waiting = new Map(ids.map((id) => [id, 0]));
  const known = arrows.filter(({ source, target }) => waiting.has(source) && waiting.has(target));
  for (const { target } of known) waiting.set(target, (waiting.get(target) ?? 0) + 1);
  const targets = bySource(known);
  const order = ids.filter((id) => waiting.get(id) === 0);
  // Grows while it is walked.
  for (const id of order) {
    for (const target of targets.get(id) ?? []) {
      const left = (waiting.get(target) ?? 0) - 1;
      waiting.set(target, left);
      if (left === 0) order.push(target);
    }
  }
  return order.length === waiting.size ? order : undefined;
};

/** One circle of the arrows, its first node last again; undefined where there is none. */
export const findCycle = (ids: readonly string[], arrows: readonly Arrow[]): readonly string[] | undefined => {
  const targets = bySource(arrows);
  const seen = new Set<string>();
  for (const root of ids) {
    // The path from the root to here, each node with how many of its arrows were followed: no recursion, however deep.
    const path: { readonly id: string; next: number }[] = [{ id: root, next: 0 }];
    const onPath = new Set([root]);
    if (seen.has(root)) continue;
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const target = (targets.get(top.id) ?? [])[top.next];
      top.next += 1;
      if (target === undefined) {
        seen.add(top.id);
        onPath.delete(top.id);
        path.pop();
      } else if (onPath.has(target)) {
        return [...path.slice(path.findIndex(({ id }) => id === target)).map(({ id }) => id), target];
      } else if (!seen.has(target)) {
        path.push({ id: target, next: 0 });
        onPath.add(target);
      }
    }
  }
  return undefined;
};

/** Everything that the arrows reach from these nodes, themselves included. */
export const reachableFrom = (from: readonly string[], arrows: readonly Arrow[]): ReadonlySet<string> => {
  const targets = bySource(arrows);
  const reached = new Set(from);
  // Grows while it is walked.
  for (const id of reached) for (const target of targets.get(id) ?? []) reached.add(target);
  return reached;
};

/** Everything from which the arrows lead to this node, without itself. */
export const leadingTo = (id: string, arrows: readonly Arrow[]): ReadonlySet<string> => {
  const back = arrows.map(({ source, target }) => ({ source: target, target: source }));
  const all = new Set(reachableFrom([id], back));
  all.delete(id);
  return all;
};
