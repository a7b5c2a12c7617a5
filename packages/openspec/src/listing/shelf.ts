import type { Clock } from '@cloutagent/kit';
import { identityOf } from '../disk/identity.ts';
import { newestFirst, type Spot } from './listing.ts';
import { sliced } from './slice.ts';
import { readRow, type Row } from './row.ts';
import { isRacy, stampOf } from './stamp.ts';
import { canWatch, queueBound, type Watch, type Watches } from './watches.ts';

/** Largest number of changes that is kept; a row has about 1.5 KB, so this is 75 MB. More are read at every call. */
const MAX_ROWS = 50_000;
/** So many rows without a watch are looked at on every call; more of them once a second. */
const MAX_LOOKS = 200;
const SWEEP_MS = 1000;

export interface ShelfPlace {
  /** `changes`, or `changes/archive`. */
  readonly folder: string;
  /** Real path that no link may lead out of. */
  readonly boundary: () => string;
  /** Where the change of this entry lies; undefined for an entry that is none. Reads what it needs for that. */
  readonly spotOf: (entry: string) => Spot | undefined;
  /** Entries that may be changes. */
  readonly entries: () => readonly string[];
}

type Kept = Row & {
  /** Empty where every folder of it is watched. */
  readonly stamp: string;
  readonly isRacy: boolean;
};

/** The rows of one folder of changes, kept true to the files. */
export class Shelf {
  readonly #maxRows: number;
  readonly #place: ShelfPlace;
  readonly #watches: Watches;
  readonly #clock: Clock;
  readonly #rows = new Map<string, Kept>();
  readonly #watched = new Map<string, Watch[]>();
  /** Entries to read again; true where folders came or went, so that the watches are set anew. */
  readonly #dirty = new Map<string, boolean>();
  readonly #bound = queueBound();
  #folderWatch: Watch | undefined;
  #identity: string | undefined;
  #seenEvents = 0;
  #sweptAt = Number.NEGATIVE_INFINITY;
  #sorted: readonly Row[] | undefined;
  readonly #unwatched = new Set<string>();

  constructor(place: ShelfPlace, watches: Watches, clock: Clock, maxRows = MAX_ROWS) {
    this.#maxRows = maxRows;
    this.#place = place;
    this.#watches = watches;
    this.#clock = clock;
  }

  get isWatched(): boolean {
    return this.#folderWatch !== undefined && this.#unwatched.size === 0;
  }

  /** Newest first, as of the last `refresh`. */
  rows(): readonly Row[] {
    this.#sorted ??= [...this.#rows.values()].sort(newestFirst);
    return this.#sorted;
  }

  /** The row of a key as it is now; looks at the files where they are not watched. */
  fresh(entry: string): Row | undefined {
    if (this.#unwatched.has(entry)) this.#look(entry);
    return this.#rows.get(entry);
  }

  /** False where there are more changes than are kept. */
  async refresh(): Promise<boolean> {
    const identity = identityOf(this.#place.folder);
    const isFlooded = this.#watches.events() - this.#seenEvents > this.#bound;
    this.#seenEvents = this.#watches.events();
    if (identity !== this.#identity || isFlooded) this.#startOver(identity);
    else if (this.#folderWatch === undefined && identity !== undefined) this.#compareNames();
    if (this.#rows.size + this.#dirty.size > this.#maxRows) {
      this.close();
      return false;
    }
    await this.#readDirty();
    const isDue = this.#clock.monotonic() - this.#sweptAt > SWEEP_MS;
    if (this.#unwatched.size > 0 && (isDue || this.#unwatched.size <= MAX_LOOKS)) await this.#sweep();
    return true;
  }

  close(): void {
    this.#folderWatch?.close();
    this.#folderWatch = undefined;
    for (const entry of this.#watched.keys()) this.#unwatch(entry);
    this.#rows.clear();
    this.#unwatched.clear();
    this.#dirty.clear();
    this.#sorted = undefined;
    this.#identity = undefined;
  }

  #startOver(identity: string | undefined): void {
    this.close();
    this.#identity = identity;
    if (identity === undefined) return;
    const { folder } = this.#place;
    if (canWatch(folder)) {
      this.#folderWatch = this.#watches.add(folder, (_isListed, entry) => {
        // Too many names to remember: look at the whole folder instead.
        if (entry === null || this.#dirty.size > this.#maxRows) this.#identity = undefined;
        else this.#dirty.set(entry, true);
      });
    }
    try {
      for (const entry of this.#place.entries()) this.#dirty.set(entry, true);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Entries that came or went, where no watch tells of them. */
  #compareNames(): void {
    const now = new Set(this.#place.entries());
    for (const entry of now) if (!this.#rows.has(entry)) this.#dirty.set(entry, true);
    for (const entry of this.#rows.keys()) if (!now.has(entry)) this.#dirty.set(entry, true);
  }

  async #readDirty(): Promise<void> {
    const slice = sliced(() => this.#clock.monotonic());
    const before = [...this.#dirty];
    for (const [entry, isListed] of before) {
      this.#read(entry, isListed);
      if (slice.isOver()) await slice.pause();
    }
  }

  async #sweep(): Promise<void> {
    const slice = sliced(() => this.#clock.monotonic());
    // As they are now: a row that is read again moves to the end of the set.
    const entries = [...this.#unwatched];
    for (const entry of entries) {
      this.#look(entry);
      if (slice.isOver()) await slice.pause();
    }
    this.#sweptAt = this.#clock.monotonic();
  }

  #look(entry: string): void {
    const row = this.#rows.get(entry);
    if (row === undefined || row.isRacy || stampOf(row.paths).stamp !== row.stamp) this.#read(entry, true);
  }

  /** Watches come before the reading: an edit in between is seen by the next look. */
  #read(entry: string, isListed: boolean): void {
    this.#dirty.delete(entry);
    const spot = this.#place.spotOf(entry);
    // A row that could not be watched whole may be by now.
    if (isListed || this.#unwatched.has(entry)) this.#unwatch(entry);
    let isWatched = this.#folderWatch !== undefined;
    const isKnown = this.#watched.has(entry);
    const onFolder = (folder: string): void => {
      if (isWatched && !isKnown) isWatched = this.#watch(entry, folder);
    };
    const lookedAt = this.#clock.now();
    const row = spot === undefined ? undefined : readRow(this.#place.boundary(), spot, onFolder);
    if (row === undefined) {
      this.#unwatch(entry);
      this.#unwatched.delete(entry);
      if (this.#rows.delete(entry)) this.#sorted = undefined;
      return;
    }
    const isTold = isWatched && !row.isLinked;
    this.#rows.set(entry, isTold ? { ...row, stamp: '', isRacy: false } : stamped(row, lookedAt));
    if (isTold) this.#unwatched.delete(entry);
    else this.#unwatched.add(entry);
    this.#sorted = undefined;
  }

  #watch(entry: string, folder: string): boolean {
    const watch = this.#watches.add(folder, (isListed) => {
      this.#dirty.set(entry, isListed || this.#dirty.get(entry) === true);
    });
    if (watch === undefined) return false;
    const all = this.#watched.get(entry);
    if (all === undefined) this.#watched.set(entry, [watch]);
    else all.push(watch);
    return true;
  }

  #unwatch(entry: string): void {
    for (const watch of this.#watched.get(entry) ?? []) watch.close();
    this.#watched.delete(entry);
  }
}

/** The stamp is of after the reading: an edit in between is younger than `lookedAt`, so the next look reads again. */
const stamped = (row: Row, lookedAt: number): Kept => {
  const { stamp, changedAt } = stampOf(row.paths);
  return { ...row, stamp, isRacy: isRacy(changedAt, lookedAt) };
};
