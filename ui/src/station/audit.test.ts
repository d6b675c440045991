import { expect, test } from 'vitest';
import { ACT_WORDS, query } from './audit';

test('an ask names only what narrows it', () => {
  expect(query({ from: NaN, to: NaN, act: '', staff: '' })).toEqual({});
  expect(query({ from: 0, to: NaN, act: 'viewed', staff: '' })).toEqual({ from: '0', act: 'viewed' });
});

test('every act has its own words', () => {
  expect(new Set(Object.values(ACT_WORDS)).size).toBe(Object.keys(ACT_WORDS).length);
});
