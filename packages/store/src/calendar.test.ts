import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openCalendar, periodEnd, slotsAt } from './calendar.ts';

const at = (iso: string): number => Date.parse(iso);
const HOUR = 3_600_000;

describe('[E12.limits] [D11] days, weeks and months of a time zone', () => {
  it.each([
    ['2026-11-25T22:59:59.999Z', 'Europe/Berlin', '2026-11-25', '2026-W48', '2026-11'],
    ['2026-11-25T23:00:00Z', 'Europe/Berlin', '2026-11-26', '2026-W48', '2026-11'],
    ['2026-11-30T23:30:00Z', 'Europe/Berlin', '2026-12-01', '2026-W49', '2026-12'],
    ['2026-11-30T23:30:00Z', 'UTC', '2026-11-30', '2026-W49', '2026-11'],
    ['2026-11-25T10:00:00Z', 'Pacific/Kiritimati', '2026-11-26', '2026-W48', '2026-11'],
    // The first week of a year is that of its first Thursday.
    ['2027-01-01T12:00:00Z', 'UTC', '2027-01-01', '2026-W53', '2027-01'],
    ['2024-12-30T12:00:00Z', 'UTC', '2024-12-30', '2025-W01', '2024-12'],
    ['2026-11-29T12:00:00Z', 'UTC', '2026-11-29', '2026-W48', '2026-11'],
  ])('%s in %s is day %s, week %s, month %s', (iso, zone, day, week, month) => {
    expect(slotsAt(at(iso), zone)).toEqual({ day, week, month });
  });

  it('needs no formatter for UTC, and says what it would say', () => {
    const moment = fc.integer({ min: at('1970-01-01T00:00:00Z'), max: at('2199-12-31T23:59:59Z') });
    fc.assert(
      fc.property(moment, (ms) => {
        expect(slotsAt(ms, 'UTC')).toEqual(slotsAt(ms, 'Etc/UTC'));
      }),
    );
  });

  it.each([
    // Clocks go back on 25 October 2026 and forward on 29 March 2026 in Berlin.
    ['day', '2026-10-24T22:00:00Z', 'Europe/Berlin', '2026-10-25T23:00:00Z', 25],
    ['day', '2026-03-28T23:00:00Z', 'Europe/Berlin', '2026-03-29T22:00:00Z', 23],
    ['week', '2026-10-18T22:00:00Z', 'Europe/Berlin', '2026-10-25T23:00:00Z', 169],
    ['month', '2026-03-31T22:00:00Z', 'Europe/Berlin', '2026-04-30T22:00:00Z', 720],
    // Santiago's clocks go forward at midnight of 6 September 2026: the day begins at 01:00.
    ['day', '2026-09-05T04:00:00Z', 'America/Santiago', '2026-09-06T04:00:00Z', 24],
    ['day', '2026-09-06T04:00:00Z', 'America/Santiago', '2026-09-07T03:00:00Z', 23],
  ] as const)('a %s that begins at %s in %s ends at %s, after %i hours', (period, from, zone, until, hours) => {
    expect(new Date(periodEnd(period, at(from), zone)).toISOString()).toBe(new Date(at(until)).toISOString());
    expect(at(until) - at(from)).toBe(hours * HOUR);
  });

  it('forgets a day when it is over, and when the clock is put back', () => {
    const slotsOf = openCalendar('Europe/Berlin');
    expect(slotsOf(at('2026-11-25T22:59:59.999Z')).day).toBe('2026-11-25');
    expect(slotsOf(at('2026-11-25T23:00:00.000Z')).day).toBe('2026-11-26');
    expect(slotsOf(at('2026-11-25T12:00:00.000Z')).day).toBe('2026-11-25');
  });
});
