/** The moment that a board is true for, in milliseconds and as the facility's clock shows it. */
export type Known = { now: number; clock: string };

const DAY_MINUTES = 1440;

/**
 * A moment near `known` as the facility's clock, "02:31". The facility's offset is read from `known`, so it is right
 * as long as no clock change lies between the two; it is only used for moments of this shift.
 */
export function clockOf(moment: number, known: Known): string {
  const [hours = 0, minutes = 0] = known.clock.split(':').map(Number);
  const offset = hours * 60 + minutes - Math.floor(known.now / 60_000);
  const of = (((Math.floor(moment / 60_000) + offset) % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES;
  return `${two(Math.floor(of / 60))}:${two(of % 60)}`;
}

/** "0:42", "12:05", "1:02:11". */
export function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${String(h)}:${two(m)}:${two(s)}` : `${String(m)}:${two(s)}`;
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}
