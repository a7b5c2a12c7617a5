import type { BudgetPeriod } from '@cloutagent/contract';

/** The calendar periods that a moment lies in: `2026-11-25`, ISO week `2026-W48`, `2026-11`. They sort by time. */
export interface Slots {
  readonly day: string;
  readonly week: string;
  readonly month: string;
}

const DAY_MS = 86_400_000;

/** Longer than any period with any change of the clock in it. */
const LONGEST_MS = 33 * DAY_MS;

/** One formatter for each zone: making one costs more than using it a thousand times. */
const formatters = new Map<string, Intl.DateTimeFormat>();

const formatterOf = (timeZone: string): Intl.DateTimeFormat => {
  const known = formatters.get(timeZone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'iso8601',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  formatters.set(timeZone, made);
  return made;
};

const pad = (value: number, digits: number): string => String(value).padStart(digits, '0');

/** Periods of the moment `ms` (milliseconds since 1970) by the calendar of a time zone. Throws RangeError for no zone. */
export const slotsAt = (ms: number, timeZone: string): Slots => {
  const [year, month, day] = dateAt(ms, timeZone);
  return {
    day: `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`,
    week: isoWeek(year, month, day),
    month: `${pad(year, 4)}-${pad(month, 2)}`,
  };
};

/** Year, month from 1, and day. */
const dateAt = (ms: number, timeZone: string): readonly [number, number, number] => {
  if (timeZone === 'UTC') {
    // Most have no other zone, and a start would wait for its first formatter.
    const date = new Date(ms);
    return [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
  }
  const parts = new Map(
    formatterOf(timeZone)
      .formatToParts(ms)
      .map(({ type, value }) => [type, Number(value)]),
  );
  return [parts.get('year') ?? 0, parts.get('month') ?? 0, parts.get('day') ?? 0];
};

/** Weeks begin on Monday and belong to the year of their Thursday. */
const isoWeek = (year: number, month: number, day: number): string => {
  const date = Date.UTC(year, month - 1, day);
  const thursday = date + (3 - ((new Date(date).getUTCDay() + 6) % 7)) * DAY_MS;
  const ofYear = new Date(thursday).getUTCFullYear();
  const week = Math.floor((thursday - Date.UTC(ofYear, 0, 1)) / (7 * DAY_MS)) + 1;
  return `${pad(ofYear, 4)}-W${pad(week, 2)}`;
};

/**
 * First moment of the period after the one that `ms` lies in. Found by search, because a day may have 23 or 25 hours and may
 * not begin at midnight. The result is exact to the millisecond.
 */
export const periodEnd = (period: Exclude<BudgetPeriod, 'lifetime'>, ms: number, timeZone: string): number => {
  const here = slotsAt(ms, timeZone)[period];
  let low = ms;
  let high = ms + LONGEST_MS;
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    if (slotsAt(middle, timeZone)[period] > here) high = middle;
    else low = middle;
  }
  return high;
};

/** Remembers the periods of now, because they are asked for with every reservation and change once a day. */
export const openCalendar = (timeZone: string): ((now: number) => Slots) => {
  let from = 0;
  let until = 0;
  let slots: Slots = { day: '', week: '', month: '' };
  return (now) => {
    // A clock that is put back must not stay in a later day.
    if (now < from || now >= until) {
      slots = slotsAt(now, timeZone);
      from = now;
      until = periodEnd('day', now, timeZone);
    }
    return slots;
  };
};
