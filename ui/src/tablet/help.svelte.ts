import type { RecordId } from '../shared/bindings/ids';
import type { Raise } from '../shared/bindings/commands';
import type { OpenEmergency } from '../shared/bindings/views';
import { call, Refused } from './call';
import { Once } from './once';
import { UNHEARD, unheard } from './unheard';
import type { Moment } from './unsaved';

/** A call for help, from the tap until the board carries it. */
export class Help {
  /** The emergency as it was raised here. */
  raised = $state.raw<OpenEmergency | null>(null);
  readonly #once = new Once<string>();

  /** It is open whether or not the recording worked, and `then` is done; a second tap meanwhile starts nothing. */
  async raise(help: Raise, now: Moment, then: (raised: OpenEmergency) => Promise<void>): Promise<void> {
    await this.#once.run('raise', async () => {
      try {
        this.raised = (await call('raise', help)).emergency;
      } catch (thrown) {
        if (!(thrown instanceof Refused)) throw thrown;
        this.raised = unheard(help.what, help.stay, help.place, thrown.refusal, now);
      }
      await then(this.raised);
    });
  }

  /** From where the board carries it, the board says how it stands with it, also that it is over. */
  carriedBy(emergencies: readonly { record: RecordId }[]): void {
    const { raised } = this;
    if (raised !== null && emergencies.some((one) => one.record === raised.record)) this.raised = null;
  }

  /** The person changes: help that nobody has heard stays open, without names. */
  forgetNames(): void {
    this.raised = this.raised?.record === UNHEARD ? { ...this.raised, stay: null, name: '', last_seen: '' } : null;
  }
}
