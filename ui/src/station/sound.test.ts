import { expect, test } from 'vitest';
import { Loudspeaker, SILENCE_MS } from './sound';

test('silence lasts two minutes, and a rise ends it at once', () => {
  const loudspeaker = new Loudspeaker(() => undefined);
  expect(loudspeaker.quietFor('overdue', 0)).toBe(0);
  loudspeaker.silence('overdue', 1_000);
  expect(loudspeaker.quietFor('overdue', 1_000)).toBe(SILENCE_MS);
  expect(loudspeaker.quietFor('overdue', 1_000 + SILENCE_MS)).toBe(0);
  expect(loudspeaker.quietFor('urgent', 1_001)).toBe(0);
  expect(loudspeaker.quietFor('emergency', 1_001)).toBe(0);
});

test('without a click nothing can sound, and it says so', () => {
  expect(new Loudspeaker(() => undefined).running).toBe(false);
});
