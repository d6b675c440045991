/** After a save, taps mean nothing for this long, ms: the second tap of a double tap must not open another patient. */
export const DEAD_MS = 700;

/** The time in which taps are dead. `now` is of one steady clock, ms. */
export class DeadTime {
  #until = -Infinity;

  begin(now: number): void {
    this.#until = now + DEAD_MS;
  }

  swallows(now: number): boolean {
    return now < this.#until;
  }
}
