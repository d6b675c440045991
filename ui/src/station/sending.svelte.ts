import { tick } from 'svelte';
import type { Refusal } from '../shared/bindings/refusal';
import { fieldOf } from './refused';
import type { Tried } from './station.svelte';

/** One form on its way to the server: sent once, and a refusal at the field that it is about. What was typed stays. */
export class Sending<F extends string> {
  busy = $state(false);
  refusal = $state.raw<Refusal | null>(null);
  readonly #field = $derived.by(() => fieldOf(this.refusal, this.fields));

  constructor(private readonly fields: readonly F[]) {}

  at(field: F): Refusal | null {
    return this.#field === field ? this.refusal : null;
  }

  /** What was refused of the form as a whole. */
  get whole(): Refusal | null {
    return this.#field === null ? this.refusal : null;
  }

  /** Refuses before anything is sent. */
  refuse(refusal: Refusal): void {
    this.refusal = refusal;
    void tick().then(() => document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
  }

  /** Null where it was refused, or is on its way already. */
  async send<T>(act: () => Promise<Tried<T>>): Promise<{ gave: T } | null> {
    if (this.busy) return null;
    this.busy = true;
    this.refusal = null;
    const tried = await act();
    this.busy = false;
    if ('gave' in tried) return tried;
    this.refuse(tried.refusal);
    return null;
  }
}
