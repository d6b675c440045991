import { expect, test } from 'vitest';
import type { Card } from '../shared/bindings/views';
import { ordered, standing } from './order';

const card = (stay: string, urgency: number) => ({ stay, urgency }) as Card;
const stays = (cards: readonly Card[]) => cards.map((one) => one.stay).join(' ');

test('most urgent first, walking order among equals, and the board itself is not touched', () => {
  const cards = [card('a', 5), card('b', -3), card('c', 5), card('d', 0)];
  expect(stays(ordered(cards, 'urgent'))).toBe('b d a c');
  expect(stays(ordered(cards, 'walking'))).toBe('a b c d');
  expect(stays(cards)).toBe('a b c d');
});

test('nobody moves under the pointer, nobody is hidden, nobody stays who left', () => {
  const wanted = [card('new', -9), card('c', 0), card('a', 1)];
  expect(stays(standing(['a', 'b', 'c'], wanted))).toBe('a c new');
});
