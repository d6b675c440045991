import type { Draft, Hello, Save, Saved, Status, Theme } from '../shared/bindings/commands';
import type { RecordId, StayId } from '../shared/bindings/ids';
import type { AmendmentAction, AmendmentReason, EmergencyKind } from '../shared/bindings/kinds';
import type { Refusal } from '../shared/bindings/refusal';
import type { Commands } from '../shared/bindings/table';
import type { Board, Card, Locked, OpenEmergency } from '../shared/bindings/views';
import { showTheme } from '../shared/theme';
import { call, onChanged, Refused } from './call';
import { DeadTime } from './dead';
import { TouchHold } from './hold';
import { Once } from './once';

export type Form = 'mood' | 'behaviour' | 'note' | 'concern' | 'not_done';
export type Order = 'walking' | 'place' | 'urgent';

/** What is open. `back` is where closing or saving leads. */
export type Route =
  | { at: 'board' }
  | { at: 'pad'; stay: StayId; found?: RecordId }
  | { at: 'form'; form: Form; stay: StayId; back: Route; resume?: boolean }
  | { at: 'day'; stay: StayId; back: Route }
  | { at: 'emergency'; record: RecordId };

/** What was saved last, for ten seconds. Only an entry can be undone; an act of the ward is ended by another one. */
export type Toast = { saved: Saved; bed: string; undoable: boolean };

/** A save that did not happen. It stays until it happens or its person gives it up. */
export type NotSaved = { refusal: Refusal; staff: string; again: () => Promise<void> };

/** How often the screen asks, ms; the program's news come between. */
const TICK_MS = 1000;
/** Without an answer for so long the screen says that it is not being updated, ms. */
const SILENT_MS = 5000;
/** How often a touch is told to the program, ms. */
const TOUCH_MS = 10_000;

/** Everything that the screens show, and every act that a person can do. One for the page. */
class Ward {
  hello = $state.raw<Hello | null>(null);
  board = $state.raw<Board | null>(null);
  locked = $state.raw<Locked | null>(null);
  status = $state.raw<Status | null>(null);
  route = $state.raw<Route>({ at: 'board' });
  order = $state<Order>('walking');
  toast = $state.raw<Toast | null>(null);
  notSaved = $state.raw<NotSaved | null>(null);
  /** The signed-in person's half-made entries. */
  drafts = $state.raw<Draft[]>([]);
  /** A refusal of something other than a save. */
  refused = $state.raw<Refusal | null>(null);
  /** An emergency as it was raised, until the board carries it. */
  raised = $state.raw<OpenEmergency | null>(null);
  /** The page has had no answer for too long. */
  silent = $state(false);
  /** Grows with every answer: what must follow the ticks depends on it. */
  ticks = $state(0);
  /** The places of the cards as they stand, and whether the band above them does: kept here so that a visit to a patient moves nothing. */
  standing = $state.raw<readonly StayId[]>([]);
  band = $state(false);
  standingOrder: Order = 'walking';
  /** The card to give the focus back to. */
  lastOpened: StayId | null = null;
  boardScroll = 0;

  readonly hold = new TouchHold();
  readonly dead = new DeadTime();
  readonly #once = new Once<string>();
  #asking = false;
  #askAgain = false;
  #answeredAt = performance.now();
  #touchedAt = -Infinity;
  #toastTimer: ReturnType<typeof setTimeout> | undefined;

  get session() {
    return this.hello?.signed_in ?? null;
  }

  get nurse(): boolean {
    return this.session?.role === 'nurse' || this.session?.role === 'charge_nurse';
  }

  card(stay: StayId): Card | undefined {
    return this.board?.cards.find((card) => card.stay === stay);
  }

  async start(): Promise<void> {
    await this.greet();
    await onChanged(() => void this.tick());
    setInterval(() => {
      this.silent = performance.now() - this.#answeredAt > SILENT_MS;
      void this.tick();
    }, TICK_MS);
    await this.tick();
  }

  /** Asks anew what this tablet is and who is signed in. */
  async greet(): Promise<void> {
    try {
      this.#greeted(await call('hello', {}));
      this.#answered();
    } catch (thrown) {
      this.#refuse(thrown);
    }
  }

  #greeted(hello: Hello): void {
    const before = this.session?.staff;
    this.hello = hello;
    showTheme(hello.theme);
    if (this.session?.staff !== before) this.#forget();
    if (this.session !== null && this.session.staff !== before) void this.loadDrafts();
  }

  async loadDrafts(): Promise<void> {
    this.drafts = (await this.ask('drafts', {})) ?? [];
  }

  /** Nothing about patients stays in the page when the person changes. */
  #forget(): void {
    this.board = null;
    this.locked = null;
    this.toast = null;
    this.refused = null;
    this.raised = null;
    this.drafts = [];
    this.route = { at: 'board' };
    this.standing = [];
    this.band = false;
    this.lastOpened = null;
    this.boardScroll = 0;
  }

  /** Asks for what the screen shows now. News that come while one answer is under way are asked for after it. */
  async tick(): Promise<void> {
    if (this.#asking) {
      this.#askAgain = true;
      return;
    }
    this.#asking = true;
    try {
      do {
        this.#askAgain = false;
        await this.#ask();
      } while (this.#askAgain);
    } finally {
      this.#asking = false;
    }
  }

  async #ask(): Promise<void> {
    if (this.hello === null) return this.greet();
    if (!this.hello.joined) return;
    const staff = this.session?.staff;
    try {
      if (staff === undefined) {
        const [locked, status] = await Promise.all([call('locked', {}), call('status', {})]);
        if (this.session !== null) return;
        this.locked = locked;
        this.status = status;
      } else {
        const [board, status] = await Promise.all([call('board', {}), call('status', {})]);
        if (this.session?.staff !== staff) return;
        this.board = board;
        this.status = status;
      }
      this.#answered();
    } catch {
      // Locked by the program meanwhile, or out of order: `hello` tells which.
      await this.greet();
    }
  }

  #answered(): void {
    this.#answeredAt = performance.now();
    this.silent = false;
    this.ticks += 1;
  }

  go(route: Route): void {
    if (route.at === 'pad') this.lastOpened = route.stay;
    this.refused = null;
    this.route = route;
  }

  /** Runs a command; a refusal is shown, and the answer is undefined then. */
  async ask<K extends keyof Commands>(
    command: K,
    args: Commands[K]['args'],
  ): Promise<Commands[K]['reply'] | undefined> {
    try {
      const reply = await call(command, args);
      this.refused = null;
      return reply;
    } catch (thrown) {
      this.#refuse(thrown);
      return undefined;
    }
  }

  #refuse(thrown: unknown): void {
    if (!(thrown instanceof Refused)) throw thrown;
    this.refused = thrown.refusal;
  }

  /**
   * Saves an entry. True once it is durable; then taps are dead for a moment and `then` is open. On a refusal the
   * entry stays where it is and the screen says NOT saved until it is saved or given up.
   */
  async save(save: Save, then: Route, bed: string): Promise<boolean> {
    const act = async () => this.#saved(await call('save', save), bed, true, then);
    return (await this.#once.run(save.id, () => this.#keepTrying(act))) ?? false;
  }

  /** The other acts that leave a record. `key` is the same for two taps on one thing. */
  async record(key: string, act: () => Promise<Saved>, bed: string, then?: Route): Promise<boolean> {
    const whole = async () => this.#saved(await act(), bed, false, then);
    return (await this.#once.run(key, () => this.#keepTrying(whole))) ?? false;
  }

  async #keepTrying(act: () => Promise<void>): Promise<boolean> {
    const staff = this.session?.staff ?? '';
    try {
      await act();
      this.notSaved = null;
      return true;
    } catch (thrown) {
      if (!(thrown instanceof Refused)) throw thrown;
      this.notSaved = {
        refusal: thrown.refusal,
        staff,
        again: async () => {
          await this.#keepTrying(act);
        },
      };
      return false;
    }
  }

  async #saved(saved: Saved, bed: string, undoable: boolean, then?: Route): Promise<void> {
    this.deaden();
    this.#showToast({ saved, bed, undoable });
    if (then !== undefined) this.go(then);
    await this.tick();
  }

  /** Taps are dead from now on for a moment. */
  deaden(): void {
    this.dead.begin(performance.now());
    document.body.dataset['dead'] = '';
    setTimeout(() => {
      if (!this.dead.swallows(performance.now())) delete document.body.dataset['dead'];
    }, 720);
  }

  #showToast(toast: Toast): void {
    clearTimeout(this.#toastTimer);
    this.toast = toast;
    const { undo_until, recorded_at } = toast.saved;
    this.#toastTimer = setTimeout(() => (this.toast = null), undo_until - recorded_at);
  }

  /** Undo, wrong patient, mis-tap, correction: a new record that names the old one. */
  async amend(
    of: RecordId,
    action: AmendmentAction,
    reason: AmendmentReason,
    words: string,
    bed: string,
  ): Promise<boolean> {
    return this.record(`amend ${of}`, () => call('amend', { of, action, reason, words }), bed);
  }

  /** One tap: recorded as fast as it can be, and its page is open whether or not the recording worked. */
  async raise(what: EmergencyKind, stay: StayId | null, place: string): Promise<void> {
    await this.#once.run('raise', async () => {
      const raised = await this.ask('raise', { what, stay, place });
      if (raised === undefined) return;
      this.deaden();
      this.raised = raised.emergency;
      this.go({ at: 'emergency', record: raised.record });
      await this.tick();
    });
  }

  async signIn(staff: string, pin: string): Promise<Refusal | null> {
    try {
      const session = await call('sign_in', { staff, pin });
      if (this.hello !== null) this.#greeted({ ...this.hello, signed_in: session });
      await this.tick();
      return null;
    } catch (thrown) {
      if (!(thrown instanceof Refused)) throw thrown;
      return thrown.refusal;
    }
  }

  async lock(): Promise<void> {
    await this.ask('lock', {});
    await this.greet();
    await this.tick();
  }

  async setTheme(theme: Theme): Promise<void> {
    showTheme(theme);
    if (this.hello !== null) this.hello = { ...this.hello, theme };
    await this.ask('set_theme', { theme });
  }

  /** A finger was here. */
  touched(): void {
    const now = performance.now();
    if (this.session === null || now - this.#touchedAt < TOUCH_MS) return;
    this.#touchedAt = now;
    call('touch', {}).catch(() => this.greet());
  }
}

export const ward = new Ward();
