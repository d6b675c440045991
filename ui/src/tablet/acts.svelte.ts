import type { StaffId } from '../shared/bindings/ids';
import type { Saved } from '../shared/bindings/commands';
import { Refused } from './call';
import { Once } from './once';
import type { Route } from './route';
import { withFailed, without, type Moment, type NotSaved } from './unsaved';

/** One thing that a person does and that must become durable: the act itself, and what follows once it has. */
export type Act = {
  /** The same for two taps on one thing, and for every try of it. */
  key: string;
  staff: StaffId;
  /** When its person tapped, where that is the time that is recorded. */
  tapped: Moment | null;
  from: Route;
  run: () => Promise<Saved>;
  done: (saved: Saved) => Promise<void>;
};

/** Does what must become durable, once, and holds on to what did not. */
export class Acts {
  /** Of everybody who has used this tablet since it started. */
  unsaved = $state.raw<readonly NotSaved[]>([]);
  readonly #once = new Once<string>();

  /** True once it is durable and what follows is done; false where it was refused, or is under way already. */
  async do(act: Act): Promise<boolean> {
    return (await this.#once.run(act.key, () => this.#try(act))) ?? false;
  }

  /** Its person does not want it saved any more, or goes back to change it. */
  giveUp({ staff, key }: NotSaved): void {
    this.unsaved = without(this.unsaved, staff, key);
  }

  async #try(act: Act): Promise<boolean> {
    const { key, staff, tapped, from } = act;
    let saved: Saved;
    try {
      saved = await act.run();
    } catch (thrown) {
      if (!(thrown instanceof Refused)) throw thrown;
      const again = async () => void (await this.do(act));
      this.unsaved = withFailed(this.unsaved, { key, staff, tapped, from, refusal: thrown.refusal, again });
      return false;
    }
    this.unsaved = without(this.unsaved, staff, key);
    await act.done(saved);
    return true;
  }
}
