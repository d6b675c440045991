import type { StaffId } from '../shared/bindings/ids';

/** What people have typed into fields of pages that are no forms: it outlives a lock and a change of user. */
export class Typed {
  readonly #words = new Map<string, string>();

  of(staff: StaffId, field: string): string {
    return this.#words.get(`${staff} ${field}`) ?? '';
  }
  keep(staff: StaffId, field: string, words: string): void {
    this.#words.set(`${staff} ${field}`, words);
  }
}
