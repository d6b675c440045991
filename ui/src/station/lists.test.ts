import { expect, test } from 'vitest';
import { codeOf } from './lists';

test.each([
  ['Dining room', [], 'dining_room'],
  ["Can't tell", [], 'can_t_tell'],
  ['Café', [], 'cafe'],
  ['Other…', ['other'], 'other_2'],
  ['Other', ['other', 'other_2'], 'other_3'],
  ['…', [], 'item'],
])('%s is kept as a code', (label, taken, code) => {
  expect(codeOf(label, taken)).toBe(code);
});
