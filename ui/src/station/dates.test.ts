import { expect, test } from 'vitest';
import { dateOf, later } from './dates';

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
