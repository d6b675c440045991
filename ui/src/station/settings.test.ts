import { expect, test } from 'vitest';
import { limitsOf, limitsText, range, SETTINGS } from './settings';

test('a range is said in the unit, and in a bigger one where it is long', () => {
  expect(range({ from: 0, to: 10, unit: 'minutes' })).toBe('0 to 10 minutes');
  expect(range({ from: 15, to: 720, unit: 'minutes' })).toBe('15 to 720 minutes (12 hours)');
  expect(range({ from: 1, to: 168, unit: 'hours' })).toBe('1 to 168 hours (7 days)');
});

test('no number is set at two places', () => {
  const names = SETTINGS.flatMap((group) => group.of.map((one) => one.name));
  expect(new Set(names).size).toBe(names.length);
});

test.each([
  ['5, 15, 30, 60', [5, 15, 30, 60]],
  [' 5 10;20 ', [5, 10, 20]],
  ['', []],
  ['5, ten', null],
  ['5.5', null],
  ['-5', null],
])('%j are the limits %j', (text, limits) => {
  expect(limitsOf(text)).toEqual(limits);
});

test('limits are shown as they are read', () => {
  expect(limitsOf(limitsText([5, 10, 20]))).toEqual([5, 10, 20]);
});
