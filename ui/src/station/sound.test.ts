import { expect, test } from 'vitest';
import { Loudspeaker } from './sound';

test('without a click nothing can sound, and it says so', () => {
  expect(new Loudspeaker(() => undefined).running).toBe(false);
});
