import type { StayId } from '../shared/bindings/ids';
import type { Board, Card } from '../shared/bindings/views';
import type { Order } from './route';

/** The cards of a board in the wanted order. Walking order is the board's own; by place keeps it within each area. */
export function ordered(board: Board, order: Order): StayId[] {
  const cards = [...board.cards];
  if (order === 'urgent') cards.sort((a, b) => a.urgency - b.urgency);
  if (order === 'place') {
    const areas = [...new Set(cards.map((card) => card.area))];
    cards.sort((a, b) => areas.indexOf(a.area) - areas.indexOf(b.area));
  }
  return cards.map((card) => card.stay);
}

/** Cards that stand together under one heading; a single group without a heading in the other orders. */
export function grouped(cards: readonly Card[], order: Order): { area: string; cards: Card[] }[] {
  if (order !== 'place') return [{ area: '', cards: [...cards] }];
  const groups: { area: string; cards: Card[] }[] = [];
  for (const card of cards) {
    const group = groups.find((one) => one.area === card.area);
    if (group) group.cards.push(card);
    else groups.push({ area: card.area, cards: [card] });
  }
  return groups;
}
