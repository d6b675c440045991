import { expect, test } from 'vitest';
import { range, SETTINGS } from './settings';

test('a range is said in the unit, and in a bigger one where it is long', () => {
  expect(range({ from: 0, to: 10, unit: 'minutes' })).toBe('0 to 10 minutes');
  expect(range({ from: 15, to: 720, unit: 'minutes' })).toBe('15 to 720 minutes (12 hours)');
  expect(range({ from: 1, to: 168, unit: 'hours' })).toBe('1 to 168 hours (7 days)');
});

test('no number is set at two places', () => {
  const names = SETTINGS.flatMap((group) => group.of.map((one) => one.name));
  expect(new Set(names).size).toBe(names.length);
});
