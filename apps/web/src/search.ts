/** What the address keeps of a view, so that a link shows what its sender saw. Unknown values fall away. */
export const CHANGES_VIEWS = ['active', 'attention', 'ready', 'all'] as const;
export type ChangesView = (typeof CHANGES_VIEWS)[number];

export const CHANGE_TABS = ['tasks', 'spec', 'price', 'runs'] as const;
export type ChangeTab = (typeof CHANGE_TABS)[number];

export interface ChangesSearch {
  readonly view?: ChangesView;
  readonly q?: string;
  readonly panel?: 'open';
}

export interface ChangeSearch {
  readonly tab?: ChangeTab;
  readonly panel?: 'run' | 'archive';
}

export interface RunSearch {
  /** Key of the selected step; without it the page follows the run. */
  readonly step?: string;
  readonly panel?: 'resume' | 'cancel';
}

export const COSTS_BY = ['model', 'change', 'node', 'user'] as const;
export type CostsBy = (typeof COSTS_BY)[number];

export interface CostsSearch {
  /** Without it: what is billed. */
  readonly money?: 'simulated';
  readonly by?: CostsBy;
  readonly panel?: 'limit';
}

type Raw = Readonly<Record<string, unknown>>;

/** Longest search text or step key that is kept. */
const MAX_TEXT = 400;

const oneOf = <T extends string>(values: readonly T[], value: unknown): T | undefined =>
  values.find((known) => known === value);
const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== ''
    ? value.slice(0, MAX_TEXT)
    : typeof value === 'number'
      ? String(value)
      : undefined;

/** Leaves out what is not set: an address shows only what differs from the default. */
const compact = <T extends object>(value: { readonly [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as T; // keys without undefined are what T's optional fields mean

export const toChangesSearch = (raw: Raw): ChangesSearch =>
  compact<ChangesSearch>({
    view: oneOf(CHANGES_VIEWS, raw['view']),
    q: text(raw['q']),
    panel: oneOf(['open'] as const, raw['panel']),
  });

export const toChangeSearch = (raw: Raw): ChangeSearch =>
  compact<ChangeSearch>({
    tab: oneOf(CHANGE_TABS, raw['tab']),
    panel: oneOf(['run', 'archive'] as const, raw['panel']),
  });

export const toRunSearch = (raw: Raw): RunSearch =>
  compact<RunSearch>({ step: text(raw['step']), panel: oneOf(['resume', 'cancel'] as const, raw['panel']) });

export const toCostsSearch = (raw: Raw): CostsSearch =>
  compact<CostsSearch>({
    money: oneOf(['simulated'] as const, raw['money']),
    by: oneOf(COSTS_BY, raw['by']),
    panel: oneOf(['limit'] as const, raw['panel']),
  });
