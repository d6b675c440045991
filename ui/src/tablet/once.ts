/** Runs one thing at a time by key: a second tap while the first is under way starts nothing. */
export class Once<K> {
  #underWay = new Set<K>();

  /** None where `key` is under way already. */
  async run<T>(key: K, act: () => Promise<T>): Promise<T | undefined> {
    if (this.#underWay.has(key)) return undefined;
    this.#underWay.add(key);
    try {
      return await act();
    } finally {
      this.#underWay.delete(key);
    }
  }
}
