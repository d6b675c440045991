import type { KeptDraft, Pad } from '../shared/bindings/commands';
import type { RecordId, StayId } from '../shared/bindings/ids';
import { DraftKeeper } from './draftkeeper';
import { ward } from './ward.svelte';

/** What a page knows of the thing that is half made on it. */
export type Kind<S> = {
  /** The name that the program keeps it under. */
  form: string;
  stay: StayId;
  empty: () => S;
  /** A kept state, read back; null where it is none. */
  read: (state: string) => S | null;
  /** Whether a kept one of this form and stay belongs here; all of them do where this is not given. */
  belongs?: (state: S) => boolean;
};

/**
 * One thing while it is half made: kept soon after each change and when its page goes, offered again, never filled in by
 * itself. Made while a component is set up, and gone with it; what was kept stays in the program.
 */
export class HalfMade<S> {
  /** What stands in it so far. */
  state: S;
  /** Earlier ones of the signed-in person, newest first. */
  offered = $state.raw<KeptDraft[]>([]);
  /** What is half made could not be kept: leaving again loses it, and the page says so. */
  losing = $state(false);
  /** It stands in the program as half made. */
  isKept = $state(false);
  /** The draft's id is the entry's: saving it twice saves it once. Empty until [`load`] is done. */
  id = $state<RecordId>('');
  begunAt = 0;
  readonly #nothing: string;
  #kept: string;
  readonly #keeper: DraftKeeper<string>;

  constructor(private readonly kind: Kind<S>) {
    this.state = $state(kind.empty());
    this.#nothing = this.#kept = JSON.stringify(kind.empty());
    const { form, stay } = kind;
    this.#keeper = new DraftKeeper(async (state) => {
      const draft = { id: this.id, stay, begun_at: this.begunAt, form, state };
      const kept = (await ward.ask('keep_draft', draft)) !== undefined;
      this.isKept ||= kept;
      return kept;
    });
    $effect(() => {
      const state = JSON.stringify(this.state);
      if (this.id === '' || state === this.#kept) return;
      this.#kept = state;
      this.losing = false;
      this.#keeper.changed(state);
    });
    $effect(() => () => void this.#keeper.flush());
  }

  /** Something is entered. */
  get begun(): boolean {
    return JSON.stringify(this.state) !== this.#nothing;
  }

  /** Asks for the patient's pad, a number for what is made here, and what was half made before. */
  async load(): Promise<Pad | null> {
    const { form, stay } = this.kind;
    const [pad, drafts] = await Promise.all([ward.ask('pad', { stay }), ward.ask('drafts', {})]);
    if (pad === undefined) return null;
    this.id = pad.draft;
    this.begunAt = ward.moment().at;
    this.offered = (drafts ?? [])
      .filter((draft) => draft.form === form && draft.stay === stay && this.#belongs(draft))
      .sort((a, b) => b.begun_at - a.begun_at);
    return pad;
  }

  #belongs(draft: KeptDraft): boolean {
    const { belongs, read } = this.kind;
    if (belongs === undefined) return true;
    const state = read(draft.state);
    return state !== null && belongs(state);
  }

  /** Goes on with a kept one. False where it cannot be read. */
  take(draft: KeptDraft): boolean {
    const read = this.kind.read(draft.state);
    if (read === null) return false;
    this.state = read;
    this.#kept = JSON.stringify(read);
    this.id = draft.id;
    this.begunAt = draft.begun_at;
    this.isKept = true;
    this.offered = [];
    return true;
  }

  async discard({ id }: KeptDraft): Promise<void> {
    await ward.ask('drop_draft', { id });
    this.offered = this.offered.filter((one) => one.id !== id);
    await ward.loadDrafts();
  }

  /** Keeps it as it is now, also where nothing is entered. */
  async keep(): Promise<boolean> {
    this.#keeper.changed(JSON.stringify(this.state));
    return this.flush();
  }

  /** True once everything that was entered is kept. */
  flush(): Promise<boolean> {
    return this.#keeper.flush();
  }

  /** Before its page closes. False where it could not be kept; asked again, it is let go. */
  async leave(): Promise<boolean> {
    if (!(await this.flush()) && !this.losing) {
      this.losing = true;
      return false;
    }
    await ward.loadDrafts();
    return true;
  }

  /** It is about to be saved: nothing is kept any more, unless [`unsaved`] follows. */
  stop(): Promise<void> {
    return this.#keeper.stop();
  }

  /** The save was refused: it is half made again. */
  unsaved(): void {
    this.#keeper.changed(JSON.stringify(this.state));
  }

  /** It has become a record which does not carry its number. */
  async drop(): Promise<void> {
    if (this.isKept) await ward.ask('drop_draft', { id: this.id });
    await ward.loadDrafts();
  }
}
