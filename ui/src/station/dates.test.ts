import { expect, test } from 'vitest';
import { dateOf, fromNow, later, localOf, momentOf, offsetOf } from './dates';

const at = (hours: number) => Date.UTC(2026, 10, 22) - hours * 3_600_000;

test.each([
  ['Honolulu', at(-10)],
  ['Chicago', at(-6)],
  ['London', at(0)],
  ['Tokyo', at(9)],
  ['Auckland in summer', at(13)],
  ['Kiritimati', at(14)],
])('midnight in %s belongs to the day that it begins', (_, from) => {
  expect(dateOf({ from, date: 'Sunday 22 November 2026' })).toBe('2026-11-22');
});

test('days are counted over the end of a month and of a year', () => {
  expect(later('2026-11-01', -1)).toBe('2026-10-31');
  expect(later('2026-12-31', 1)).toBe('2027-01-01');
});

test.each([
  ['Honolulu', -600, '21:47'],
  ['Chicago', -300, '02:47'],
  ['Kathmandu', 345, '13:32'],
  ['Kiritimati', 840, '21:47'],
])('the clocks of %s are %s minutes ahead', (_, offset, clock) => {
  const now = Date.UTC(2026, 10, 22, 7, 47, 10);
  const midnight = Math.floor((now + offset * 60_000) / 86_400_000) * 86_400_000;
  const date = `x ${String(new Date(midnight).getUTCDate())} November 2026`;
  const day = { from: midnight - offset * 60_000, date };
  expect(offsetOf({ now, clock }, day)).toBe(offset);
  const local = localOf(now, offset);
  expect(local.slice(11)).toBe(clock);
  expect(momentOf(local, offset)).toBe(now - 10_000);
});

test('a clock change since midnight moves the offset, not the day', () => {
  // 1 November 2026 in Chicago: five hours behind at midnight, six from 02:00 on.
  const day = { from: Date.UTC(2026, 10, 1, 5), date: 'Sunday 1 November 2026' };
  expect(offsetOf({ now: Date.UTC(2026, 10, 1, 12), clock: '06:00' }, day)).toBe(-360);
});

test('how long until then is said in hours and minutes', () => {
  expect(fromNow(190 * 60_000)).toBe('in 3 h 10 min');
  expect(fromNow(45 * 60_000)).toBe('in 45 min');
  expect(fromNow(49 * 3_600_000)).toBe('in 2 days 1 h');
  expect(fromNow(0)).toBe('that time is past');
  expect(fromNow(NaN)).toBe('');
});
