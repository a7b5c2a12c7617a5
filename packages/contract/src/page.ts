import * as z from 'zod';

/** Query of every listing. `pageToken` wins over `offset`. */
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  offset: z.coerce.number().int().min(0).default(0),
});

/** One page; `nextPageToken` is null at the end (seed 002 "Paginated Response Data"). */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({
    page: z.int().min(1),
    pageSize: z.int().min(1),
    total: z.int().min(0),
    nextPageToken: z.string().nullable(),
    items: z.array(item),
    /** What is wrong with the place that was listed; absent where nothing is. */
    warnings: z.array(z.string()).optional(),
  });

export interface Page<T> {
  readonly page: number;
  readonly pageSize: number;
  readonly total: number;
  readonly nextPageToken: string | null;
  readonly items: readonly T[];
  readonly warnings?: readonly string[] | undefined;
}
