/** How long typing may pause before the half-made entry is kept, ms. */
export const KEEP_AFTER_MS = 300;

/**
 * Keeps the newest state of a half-made entry: soon after each change, at once on [`flush`], and never two at a time, so
 * that an older state cannot overwrite a newer one.
 */
export class DraftKeeper<S> {
  #waiting: { state: S } | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last: Promise<boolean> = Promise.resolve(true);

  /** `keep` must not throw: a refusal is its own to show, and is answered by false. */
  constructor(private readonly keep: (state: S) => Promise<boolean>) {}

  changed(state: S): void {
    this.#waiting = { state };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), KEEP_AFTER_MS);
  }

  /** Resolves once everything that was changed before was given to be kept: true if it is. What is not waits on. */
  flush(): Promise<boolean> {
    clearTimeout(this.#timer);
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null)
      this.#last = this.#last.then(async () => {
        const kept = await this.keep(waiting.state);
        if (!kept) this.#waiting ??= waiting;
        return kept;
      });
    return this.#last;
  }

  /** Saved or thrown away: nothing of it is to be kept any more. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#waiting = null;
    await this.#last;
  }
}
