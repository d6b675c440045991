/**
 * What was typed and is not saved yet. Whoever would leave it, by whatever way the page knows of, is asked first; a form
 * that says "without saving" on its own button asks nobody.
 */
class Unsaved {
  #forms = new Set<() => string | null>();
  /** Somebody is about to leave this, and has not said whether they mean it. */
  asked = $state.raw<{ what: string; go: () => void } | null>(null);

  /** `words` says what would be lost ("the ward Oak Ward"), or null where nothing would. Gives back how to end it. */
  hold(words: () => string | null): () => void {
    this.#forms.add(words);
    return () => this.#forms.delete(words);
  }

  /** What would be lost now; null where nothing would. */
  get what(): string | null {
    for (const words of this.#forms) {
      const what = words();
      if (what !== null) return what;
    }
    return null;
  }

  /** At once where nothing would be lost, else once somebody has said that they mean it. */
  leave(go: () => void): void {
    const { what } = this;
    if (what === null) go();
    else this.asked = { what, go };
  }
}

export const unsaved = new Unsaved();
