import type { Hello, KeptDraft, Save, Saved, Status, Theme } from '../shared/bindings/commands';
import type { RecordId, StaffId, StayId } from '../shared/bindings/ids';
import type { AmendmentAction, AmendmentReason, EmergencyKind } from '../shared/bindings/kinds';
import type { Refusal } from '../shared/bindings/refusal';
import type { Commands } from '../shared/bindings/table';
import type { Board, Card, Locked } from '../shared/bindings/views';
import { showTheme } from '../shared/theme';
import { Acts } from './acts.svelte';
import { Answered } from './answered.svelte';
import { call, onChanged, Refused } from './call';
import { DeadTime } from './dead';
import { Help } from './help.svelte';
import { TouchHold } from './hold';
import type { Order, Route } from './route';
import { Typed } from './typed';
import { UNHEARD } from './unheard';
import type { Moment, NotSaved } from './unsaved';

/** What was saved last, for ten seconds. Only an entry can be undone; an act of the ward is ended by another one. */
export type Toast = { saved: Saved; bed: string; undoable: boolean };

/** How often the screen asks, ms; the program's news come between. */
const TICK_MS = 1000;
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
  /** The signed-in person's half-made entries. */
  drafts = $state.raw<KeptDraft[]>([]);
  /** A refusal of something other than a save. */
  refused = $state.raw<Refusal | null>(null);
  /** Why the program does not answer for the ward at all. */
  failing = $state.raw<Refusal | null>(null);
  /** So many sheets are open: what is refused is shown inside the topmost, since the page behind it is dead. */
  sheets = $state(0);
  /** Grows with every answer: what must follow the ticks depends on it. */
  ticks = $state(0);
  /** The places of the cards as they stand: kept here so that a visit to a patient moves nothing. */
  standing = $state.raw<readonly StayId[]>([]);
  standingOrder: Order = 'walking';
  /** The card to give the focus back to. */
  lastOpened: StayId | null = null;
  boardScroll = 0;

  readonly hold = new TouchHold();
  readonly dead = new DeadTime();
  readonly acts = new Acts();
  readonly help = new Help();
  readonly #answers = new Answered();
  readonly #typed = new Typed();
  #asking = false;
  #askAgain = false;
  /** Which command the refusal is of. */
  #refusedBy: keyof Commands | null = null;
  #touchedAt = -Infinity;
  #toastTimer: ReturnType<typeof setTimeout> | undefined;

  get session() {
    return this.hello?.signed_in ?? null;
  }

  get nurse(): boolean {
    return this.session?.role === 'nurse' || this.session?.role === 'charge_nurse';
  }

  get chargeNurse(): boolean {
    return this.session?.role === 'charge_nurse';
  }

  /** The first of what the signed-in person has not saved. */
  get notSaved(): NotSaved | null {
    return this.acts.unsaved.find((one) => one.staff === this.#staff) ?? null;
  }

  get #staff(): StaffId {
    return this.session?.staff ?? '';
  }

  /** The page has had no answer for too long. */
  get silent(): boolean {
    return this.#answers.silent;
  }

  /** Now by the board's time, which is the facility's where that is known. */
  moment(): Moment {
    return this.#answers.moment();
  }

  /** What the signed-in person has typed into a field, over a lock and a change of user. */
  typed(field: string): string {
    return this.#typed.of(this.#staff, field);
  }
  type(field: string, words: string): void {
    this.#typed.keep(this.#staff, field, words);
  }

  card(stay: StayId): Card | undefined {
    return this.board?.cards.find((card) => card.stay === stay);
  }

  async start(): Promise<void> {
    await this.greet();
    await onChanged(() => void this.tick());
    setInterval(() => {
      this.#answers.look();
      void this.tick();
    }, TICK_MS);
    await this.tick();
  }

  /** Asks anew what this tablet is and who is signed in. */
  async greet(): Promise<void> {
    try {
      this.#greeted(await call('hello', {}));
      if (this.#refusedBy === 'hello') this.refused = null;
    } catch (thrown) {
      this.#refusedBy = 'hello';
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
    this.help.forgetNames();
    this.drafts = [];
    this.route = this.help.raised === null ? { at: 'board' } : { at: 'emergency', record: UNHEARD };
    this.standing = [];
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
    const status = call('status', {}).then((answer) => (this.status = answer));
    const main = staff === undefined ? this.#askLocked() : this.#askBoard(staff);
    const [answer] = await Promise.allSettled([main, status]);
    if (answer.status === 'fulfilled') return;
    // Locked by the program meanwhile, or out of order: `hello` tells which.
    await this.greet();
    if (answer.reason instanceof Refused && this.session?.staff === staff) this.failing = answer.reason.refusal;
  }

  async #askLocked(): Promise<void> {
    const locked = await call('locked', {});
    if (this.session !== null) return;
    this.locked = locked;
    this.#answered(locked, locked.emergencies);
  }

  async #askBoard(staff: StaffId): Promise<void> {
    const board = await call('board', {});
    if (this.session?.staff !== staff) return;
    this.board = board;
    this.#answered(board, board.emergencies);
  }

  #answered(at: { now: number; clock: string }, emergencies: readonly { record: RecordId }[]): void {
    this.#answers.came(at);
    this.failing = null;
    this.ticks += 1;
    this.help.carriedBy(emergencies);
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
      // Only the same thing done takes its refusal away: what else goes well says nothing about it.
      if (this.#refusedBy === command) this.refused = null;
      return reply;
    } catch (thrown) {
      this.#refusedBy = command;
      this.#refuse(thrown);
      return undefined;
    }
  }

  #refuse(thrown: unknown): void {
    if (!(thrown instanceof Refused)) throw thrown;
    this.refused = thrown.refusal;
  }

  /**
   * Saves an entry. True once it is durable; then taps are dead for a moment, `then` is open and `after` is done,
   * however often it had to be tried. On a refusal the entry stays where it is and the screen says NOT saved until it
   * is saved or given up. `tapped` is when its person tapped: tried again much later, it is a late entry of that time.
   */
  async save(
    save: Omit<Save, 'tapped_at'>,
    then: Route,
    bed: string,
    after?: () => Promise<void> | void,
    tapped: Moment = this.moment(),
  ): Promise<boolean> {
    return this.acts.do({
      key: save.id,
      staff: this.#staff,
      tapped: save.observed_at === null ? tapped : null,
      from: this.route,
      run: () => call('save', { ...save, tapped_at: tapped.at }),
      done: (saved) => this.#saved({ saved, bed, undoable: true }, then, after),
    });
  }

  /** The other acts that leave a record. `key` is the same for two taps on one thing. */
  async record(
    key: string,
    run: () => Promise<Saved>,
    bed: string,
    then?: Route,
    after?: (saved: Saved) => Promise<void> | void,
  ): Promise<boolean> {
    const done = (saved: Saved) => this.#saved({ saved, bed, undoable: false }, then, () => after?.(saved));
    return this.acts.do({ key, staff: this.#staff, tapped: null, from: this.route, run, done });
  }

  async #saved(toast: Toast, then?: Route, after?: () => Promise<void> | void): Promise<void> {
    this.deaden();
    this.#showToast(toast);
    if (then !== undefined) this.go(then);
    await after?.();
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
    after?: () => Promise<void> | void,
  ): Promise<boolean> {
    return this.record(`amend ${of}`, () => call('amend', { of, action, reason, words }), bed, undefined, after);
  }

  /**
   * One tap: recorded as fast as it can be, and its page is open whether or not the recording worked. `insteadOf` is
   * the same emergency, before anybody knew of which patient.
   */
  async raise(
    what: EmergencyKind,
    stay: StayId | null,
    place: string,
    insteadOf: RecordId | null = null,
  ): Promise<void> {
    await this.help.raise({ what, stay, place, instead_of: insteadOf }, this.moment(), async ({ record }) => {
      this.deaden();
      this.go({ at: 'emergency', record });
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
