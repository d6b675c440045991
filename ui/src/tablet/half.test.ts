import { expect, test } from 'vitest';
import { empty, readHalf, toEntry, toggled } from './half';

test('nothing can be saved from an empty form', () => {
  for (const form of ['mood', 'behaviour', 'note', 'concern', 'not_done'] as const)
    expect(toEntry(form, empty())).toBeNull();
});

test('a mood says only what was entered', () => {
  expect(toEntry('mood', { ...empty(), source: 'declined_to_say' })).toEqual({
    kind: 'mood',
    mood: { source: 'declined_to_say', score: null, affect: [], words: '', harm: null },
  });
});

test('spaces are no words', () => {
  expect(toEntry('concern', { ...empty(), words: '  \n' })).toBeNull();
  expect(toEntry('concern', { ...empty(), words: ' look at her arm ' })).toEqual({
    kind: 'concern',
    words: 'look at her arm',
  });
});

test('a kept form comes back as it was', () => {
  const half = { ...empty(), what: ['shouting'], then: 'settled', words: '“go away” 😀' };
  expect(readHalf(JSON.stringify(half))).toEqual(half);
});

test('what another release or a damaged file wrote does not break the form', () => {
  expect(readHalf('{')).toBeNull();
  expect(readHalf('7')).toBeNull();
  expect(readHalf('{"affect":"x","score":"3","what":["a",1],"new":{}}')).toEqual({ ...empty(), what: ['a'] });
});

test('a second tap takes a choice back', () => {
  expect(toggled(toggled(['a'], 'b'), 'a')).toEqual(['b']);
});
