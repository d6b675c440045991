/** How long after the last touch the board may move again, ms. */
export const QUIET_MS = 1500;

/** Whether something is or just was under a finger: while it is, the board must not move. Times are of one steady clock. */
export class TouchHold {
  #down = new Set<number>();
  #last = -Infinity;

  down(pointer: number, now: number): void {
    this.#down.add(pointer);
    this.#last = now;
  }

  up(pointer: number, now: number): void {
    this.#down.delete(pointer);
    this.#last = now;
  }

  /** The window lost the fingers (another window came up): no `up` will follow. */
  lost(now: number): void {
    this.#down.clear();
    this.#last = now;
  }

  mayMove(now: number): boolean {
    return this.#down.size === 0 && now - this.#last > QUIET_MS;
  }
}

/**
 * The order to show: the wanted one where the board may move, else the one that stands. Who left the ward leaves a
 * standing order too; who came in is put at its end, so that nobody is hidden and nobody moves.
 */
export function heldOrder<T>(standing: readonly T[], wanted: readonly T[], mayMove: boolean): readonly T[] {
  const same = standing.length === wanted.length && standing.every((one, n) => one === wanted[n]);
  if (same) return standing;
  if (mayMove || standing.length === 0) return wanted;
  const still = new Set(wanted);
  const known = new Set(standing);
  return [...standing.filter((one) => still.has(one)), ...wanted.filter((one) => !known.has(one))];
}

/**
 * The things to show above the cards: the wanted ones where the page may move, else those that stand, each with what
 * is new of it. Nothing comes and nothing goes under a finger.
 */
export function heldThings<T>(
  standing: readonly T[],
  wanted: readonly T[],
  key: (one: T) => string,
  mayMove: boolean,
): readonly T[] {
  if (mayMove) return wanted;
  const fresh = new Map(wanted.map((one) => [key(one), one]));
  return standing.map((one) => fresh.get(key(one)) ?? one);
}
