import { getHeapStatistics } from 'node:v8';

/** Bytes: the whole process, its heap, and the heap's limit. */
export interface MemoryUse {
  readonly rssBytes: number;
  readonly usedBytes: number;
  readonly limitBytes: number;
}

export const memoryUse = (): MemoryUse => {
  const { used_heap_size: usedBytes, heap_size_limit: limitBytes } = getHeapStatistics();
  return { rssBytes: process.memoryUsage.rss(), usedBytes, limitBytes };
};
