import { expect, test } from 'vitest';
import type { Level } from '../shared/bindings/level';
import { closeness, meaning, shortOf } from './levels';

const q = (limit_minutes: number): Level => ({ how: 'intermittent', limit_minutes });
const one: Level = {
  how: 'continuous',
  ratio: [1, 1],
  distance: 'within_arms_length',
  bathroom: null,
  sleep: null,
};

test.each([
  ['Q15', 15],
  ['1:1', 0],
  ['2:1', 0],
  ['no level', null],
  ['Leave', null],
])('%s', (level, minutes) => {
  expect(closeness(level)).toBe(minutes);
});

test('a stricter order says that a check is due at once, a less strict one does not', () => {
  expect(meaning('Q15', q(5))).toContain('a check is due at once');
  expect(meaning('no level', q(60))).toContain('a check is due at once');
  expect(meaning('Q5', q(15))).toBe('Less strict than Q5.');
  expect(meaning('1:1', q(5))).toBe('Less strict than 1:1.');
  expect(meaning('Q15', q(15))).not.toContain('at once');
  expect(meaning('Q5', one)).toContain('at once');
  expect([q(5), one].map(shortOf)).toEqual(['Q5', '1:1']);
});
