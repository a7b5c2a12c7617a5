/** Prefixes of the ids that the product makes: prefix, underscore, UUIDv7 in hex without dashes. */
export const ID_PREFIXES = ['run', 'chg', 'req', 'rsv', 'rcp', 'evt', 'tsk', 'apr', 'cnv', 'out'] as const;
export type IdPrefix = (typeof ID_PREFIXES)[number];
