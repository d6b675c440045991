import type { Card } from '../shared/bindings/views';

export type Order = 'walking' | 'urgent';

/** Walking order is the board's own. Equal urgency keeps walking order. */
export function ordered(cards: readonly Card[], order: Order): Card[] {
  return order === 'walking' ? [...cards] : [...cards].sort((a, b) => a.urgency - b.urgency);
}

/**
 * The rows to show while a pointer or the keyboard is on them: nobody moves. Who came in is put at the end, so that
 * nobody is hidden; who left, leaves.
 */
export function standing(before: readonly string[], wanted: readonly Card[]): Card[] {
  const by = new Map(wanted.map((card) => [card.stay, card]));
  const still = before.flatMap((stay) => by.get(stay) ?? []);
  const known = new Set(before);
  return [...still, ...wanted.filter((card) => !known.has(card.stay))];
}
