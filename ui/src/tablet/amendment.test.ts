import { expect, test } from 'vitest';
import { emptyAmendment, readAmendment, toAmendment } from './amendment';

const row = { record: 'r1', kind: 'check', clock: '02:14', words: 'Hallway · pacing' } as const;

test('a kept correction comes back as it was, with what it corrects', () => {
  const half = { ...emptyAmendment(row), how: 'other', words: 'it was “her” brother 😀' } as const;
  expect(readAmendment(JSON.stringify(half))).toEqual(half);
});

test('what does not say what it corrects is no correction, and what is not known is left empty', () => {
  expect(readAmendment('{')).toBeNull();
  expect(readAmendment('7')).toBeNull();
  expect(readAmendment('{"words":"x"}')).toBeNull();
  expect(readAmendment(JSON.stringify({ of: row, how: 'invented', place: 7 }))).toEqual(emptyAmendment(row));
});

test('a long note is not kept a second time to name it', () => {
  expect(JSON.stringify(emptyAmendment({ ...row, words: 'x'.repeat(60_000) })).length).toBeLessThan(1000);
});

test('taking back for another reason and adding words take words; a corrected check takes both of its halves', () => {
  const half = emptyAmendment(row);
  expect(toAmendment({ ...half, how: 'other', words: ' ' })).toBeNull();
  expect(toAmendment({ ...half, how: 'add', words: ' more ' })?.action).toEqual({ do: 'add', words: 'more' });
  expect(toAmendment({ ...half, how: 'correct', place: 'hallway' })).toBeNull();
  expect(toAmendment({ ...half, how: 'mis_tap' })).toEqual({ action: { do: 'retract' }, reason: 'mis_tap' });
});
