import type { Moment } from './unsaved';

/** Without an answer for so long the screen says that it is not being updated, ms. */
const SILENT_MS = 5000;

/** When the program last answered for the ward, and what time it is by that. */
export class Answered {
  /** The page has had no answer for too long. */
  silent = $state(false);
  #at = performance.now();
  /** The program's time of the last answer, and when that came, by the page's steady clock. */
  #known: { moment: Moment; came: number } | null = null;

  /** Only an answer for the ward counts: a program that knows its name and nothing else is no help. */
  came({ now, clock }: { now: number; clock: string }): void {
    this.#at = performance.now();
    this.#known = { moment: { at: now, clock }, came: this.#at };
    this.silent = false;
  }

  /** Looks whether the last one is too long ago. */
  look(): void {
    this.silent = performance.now() - this.#at > SILENT_MS;
  }

  /** Now by the board's time, which is the facility's where that is known. */
  moment(): Moment {
    if (this.#known === null) return { at: Date.now(), clock: '' };
    const { moment, came } = this.#known;
    return { at: moment.at + Math.round(performance.now() - came), clock: moment.clock };
  }
}
