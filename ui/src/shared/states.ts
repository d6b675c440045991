import type { CardState } from './bindings/views';

/** The four colours of a status and the one of an absence. Never shown without the shape and the words. */
export type Tone = 'ok' | 'due' | 'over' | 'unknown' | 'away';

/** Colour and shape of each state; the words come with the card. */
export const SHOWN: Record<CardState, { tone: Tone; shape: Shape; loud: boolean }> = {
  ok: { tone: 'ok', shape: 'tick', loud: false },
  due: { tone: 'due', shape: 'clock', loud: false },
  overdue: { tone: 'over', shape: 'triangle', loud: true },
  not_known: { tone: 'unknown', shape: 'question', loud: true },
  watched: { tone: 'ok', shape: 'eye', loud: false },
  unwatched: { tone: 'over', shape: 'eye_struck', loud: true },
  paused: { tone: 'away', shape: 'pause', loud: false },
  due_back: { tone: 'over', shape: 'return', loud: true },
  no_level: { tone: 'over', shape: 'no_order', loud: true },
};

export type Shape = 'tick' | 'clock' | 'triangle' | 'question' | 'eye' | 'eye_struck' | 'pause' | 'return' | 'no_order';
