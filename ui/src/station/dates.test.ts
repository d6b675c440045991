import { expect, test } from 'vitest';
import { dateOf, fromNow, later } from './dates';

const at = (hours: number) => Date.UTC(2026, 10, 22) - hours * 3_600_000;

test.each([
  ['Pacific/Honolulu', at(-10)],
  ['America/Chicago', at(-6)],
  ['Europe/London', at(0)],
  ['Asia/Tokyo', at(9)],
  ['Pacific/Auckland', at(13)],
  ['Pacific/Kiritimati', at(14)],
])('midnight in %s belongs to the day that it begins', (zone, from) => {
  expect(dateOf({ from }, zone)).toBe('2026-11-22');
});

test('a day whose clocks change is that day too', () => {
  expect(dateOf({ from: Date.UTC(2026, 10, 1, 5) }, 'America/Chicago')).toBe('2026-11-01');
  expect(dateOf({ from: Date.UTC(2026, 2, 8, 6) }, 'America/Chicago')).toBe('2026-03-08');
});

test('days are counted over the end of a month and of a year', () => {
  expect(later('2026-11-01', -1)).toBe('2026-10-31');
  expect(later('2026-12-31', 1)).toBe('2027-01-01');
});

test('how long until then is said in hours and minutes', () => {
  expect(fromNow(190 * 60_000)).toBe('in 3 h 10 min');
  expect(fromNow(45 * 60_000)).toBe('in 45 min');
  expect(fromNow(49 * 3_600_000)).toBe('in 2 days 1 h');
  expect(fromNow(0)).toBe('that time is past');
  expect(fromNow(NaN)).toBe('');
});
