import type { Refusal } from '../shared/bindings/refusal';
import type {
  Door,
  InviteMade,
  LogIn,
  MakeInvite,
  PatientChoices,
  SetUp,
  StationAdmit,
  StationBack,
  StationDischarge,
  StationDone,
  StationOrder,
  StationPause,
  StationPrecautions,
  StationSession,
  WardBeds,
} from '../shared/bindings/station';
import type { Board, PatientDay, SignalLevel } from '../shared/bindings/views';
import { showTheme } from '../shared/theme';
import { api, get, post, Refused, saidDemo } from './ask';
import { Live, Since, STALE_AFTER_MS } from './live';
import type { Order } from './order';
import { facility } from './facility.svelte';
import { firstPage, watchesWards, type Place } from './places';
import { Loudspeaker, SILENCE_MS } from './sound';
import { unsaved } from './unsaved.svelte';
import { moment } from './words';

/** `instead`: the tablet whose place the new one takes. */
export type Page = { at: Exclude<Place, 'join'> } | { at: 'join'; instead?: string } | { at: 'day'; stay: string };
/** What was asked for, or why not in words that belong beside what was typed. */
export type Tried<T> = { gave: T } | { refusal: Refusal };
export type Theme = 'day' | 'night';

const TICK_MS = 500;
const THEME_KEY = 'lamplight-station-theme';
/** In this tab: somebody watches the ward here, and has not logged out. Beside the theme all that the page keeps. */
const WATCH_KEY = 'lamplight-station-watch';

/** The ward was watched here, and nobody who is logged in does any more. */
interface Unwatched {
  /** The last board's own moment, "02:47:10"; empty where the page was loaded since. */
  since: string;
  level: SignalLevel;
  /** Since the page knows. */
  for: Since;
}

/** Everything that the page knows. What it shows of the ward is the server's last board, as it came. */
class Station {
  /** Undefined until the server has said whether somebody is logged in. */
  session = $state.raw<StationSession | null | undefined>(undefined);
  /** Why nobody is logged in any more; also what the login refused. */
  loginRefusal = $state.raw<Refusal | null>(null);
  demo = $state(false);
  ward = $state('');
  board = $state.raw<Board | null>(null);
  page = $state.raw<Page>({ at: 'board' });
  /** Asked once, when nobody is logged in: is there a facility at all? */
  door = $state.raw<Door | null>(null);
  /** What was done last, until the next page: "W-3 is taken out of use." */
  said = $state('');
  /** What an action refused, until it is closed or another succeeds. */
  refusal = $state.raw<Refusal | null>(null);
  theme = $state<Theme>('day');
  order = $state<Order>('walking');
  /** Milliseconds without an update where that is too long, else 0. */
  staleFor = $state(0);
  /** The session ended without anybody logging out: the alarm goes on until somebody logs in. */
  unwatched = $state.raw<Unwatched | null>(null);
  sounding = $state(false);
  /** Milliseconds that the signal stays quiet, else 0. */
  quietFor = $state(0);
  silencing = $state(false);
  /** Records whose acknowledgement is on its way or was taken, until the board says the same. */
  acknowledging = $state.raw<ReadonlySet<string>>(new Set());

  readonly loudspeaker = new Loudspeaker(() => {
    this.sounding = this.loudspeaker.running;
  });
  #live: Live | null = null;
  /** Records whose acknowledgement was taken. */
  #taken = new Set<string>();
  /** Only for a page that hears nothing, which cannot ask the server: silenced here alone, at that level. */
  #silencedHere: { level: SignalLevel; for: Since } | null = null;

  async start(): Promise<void> {
    this.#theme(localStorage.getItem(THEME_KEY) === 'night' ? 'night' : 'day');
    setInterval(() => {
      this.tick();
    }, TICK_MS);
    // A page that comes back to the front looks at once; its timer may have been slowed down.
    document.addEventListener('visibilitychange', () => {
      this.tick();
    });
    window.addEventListener('popstate', (event) => {
      const wanted = (event.state as Page | null) ?? { at: this.#firstPage() };
      if (unsaved.what === null) {
        this.said = '';
        this.page = wanted;
        return;
      }
      // The browser has gone back already: what is shown is where it was until somebody has said that they mean it.
      history.pushState(this.page, '');
      this.go(wanted);
    });
    await this.resume();
  }

  /** Is somebody still logged in here? */
  async resume(): Promise<void> {
    try {
      this.#entered(await get<StationSession>(api.session));
    } catch (thrown) {
      // Who asks at all has to be shown something: which page, the door says first.
      await this.#knock();
      this.#ended(thrown instanceof Refused && thrown.status === 401 ? null : refusalOf(thrown));
    }
  }

  async #knock(): Promise<void> {
    try {
      this.door = await get<Door>(api.door);
      this.demo ||= this.door.demo;
    } catch (thrown) {
      // Without an answer the login is shown: it says by itself that the server gives none.
      refusalOf(thrown);
    }
  }

  async logIn(as: LogIn): Promise<void> {
    this.loginRefusal = null;
    try {
      this.#entered(await post<StationSession>(api.login, as));
    } catch (thrown) {
      this.loginRefusal = refusalOf(thrown);
    }
    this.demo ||= saidDemo;
  }

  /** Null where the first administrator is made and logged in. */
  async setUp(as: SetUp): Promise<Refusal | null> {
    try {
      const session = await post<StationSession>(api.setUp, as);
      this.door = null;
      this.#entered(session);
      return null;
    } catch (thrown) {
      return refusalOf(thrown);
    }
  }

  /** For forms: a refusal comes back to what was typed instead of standing above the page. */
  async tried<T>(act: () => Promise<T>): Promise<Tried<T>> {
    try {
      return { gave: await act() };
    } catch (thrown) {
      const refusal = refusalOf(thrown);
      // A password or a code that is wrong is no end of the session.
      if (thrown instanceof Refused && thrown.status === 401 && refusal.code.startsWith('auth.session'))
        this.#ended(refusal);
      return { refusal };
    }
  }

  /** Once nothing typed is lost by it, or somebody has said that it may be. */
  logOut(): void {
    unsaved.leave(() => void this.#logOut());
  }

  async #logOut(): Promise<void> {
    // A session that had ended already is no reason to go on sounding: this person leaves.
    if (!(await this.#done(() => post(api.logout))) && this.session !== null) return;
    sessionStorage.removeItem(WATCH_KEY);
    this.unwatched = null;
    this.#left(null);
    this.tick();
  }

  watch(ward: string): void {
    this.#live?.close();
    this.ward = ward;
    this.board = null;
    this.staleFor = 0;
    this.#live = new Live(ward, {
      board: (board) => {
        this.board = board;
        this.staleFor = 0;
        // Where it is still open, it can be tried again.
        if (this.#taken.size > 0) {
          this.acknowledging = new Set([...this.acknowledging].filter((one) => !this.#taken.has(one)));
          this.#taken.clear();
        }
        this.tick();
      },
      ended: (refusal) => {
        this.#ended(refusal);
      },
    });
  }

  tick(): void {
    const live = this.#live;
    live?.watch();
    const age = live?.age() ?? 0;
    this.staleFor = this.unwatched?.for.ms() ?? (age > STALE_AFTER_MS ? age : 0);
    if (!this.knowsNothing) this.#silencedHere = null;
    this.quietFor = this.#quiet(age);
    this.loudspeaker.sound(this.quietFor > 0 ? 'quiet' : this.level, performance.now());
  }

  /** Nothing that the page shows or showed may still be true. */
  get knowsNothing(): boolean {
    return this.staleFor > 0 || this.unwatched !== null;
  }

  /** Milliseconds that the signal stays quiet. It is the ward's own silence, as the server says it; `age` old. */
  #quiet(age: number): number {
    const here = this.#silencedHere;
    if (here !== null) return here.level === this.level ? Math.max(0, SILENCE_MS - here.for.ms()) : 0;
    const board = this.board;
    if (this.knowsNothing || board === null || board.signal.silenced_until === null) return 0;
    return Math.max(0, board.signal.silenced_until - board.now - age);
  }

  /** What sounds. A page that knows nothing cannot say that all is well: it sounds too, at the lowest level at least. */
  get level(): SignalLevel {
    const said = this.unwatched?.level ?? this.board?.signal.level ?? 'quiet';
    return this.knowsNothing && said === 'quiet' ? 'overdue' : said;
  }

  arm(): void {
    this.loudspeaker.arm();
  }
  /** Asks for the ward's silence; it is quiet once the board says so. */
  async silence(): Promise<void> {
    if (this.knowsNothing) {
      this.#silencedHere = { level: this.level, for: new Since() };
      this.tick();
      return;
    }
    if (this.silencing) return;
    this.silencing = true;
    await this.#done(() => post(api.silence, { ward: this.ward }));
    this.silencing = false;
  }

  go(page: Page): void {
    const isOther = page.at === 'day' || page.at !== this.page.at;
    const go = () => {
      this.refusal = null;
      this.said = '';
      if (isOther) history.pushState(page, '');
      this.page = page;
    };
    if (isOther) unsaved.leave(go);
    else go();
  }

  async acknowledge(record: string): Promise<void> {
    if (this.acknowledging.has(record)) return;
    this.acknowledging = new Set([...this.acknowledging, record]);
    const took = await this.#done(() => post(api.acknowledge, { ward: this.ward, of: record }));
    if (took) this.#taken.add(record);
    else this.acknowledging = new Set([...this.acknowledging].filter((one) => one !== record));
  }

  /** True where it was taken. */
  async verify(): Promise<boolean> {
    return this.#done(() => post(api.verify, { ward: this.ward }));
  }

  invite(ask: MakeInvite): Promise<Tried<InviteMade>> {
    return this.tried(() => post<InviteMade>(api.invite, ask));
  }

  /** Nurses act; everybody else of the ward looks. The server decides, this only shows what it would let. */
  get isNurse(): boolean {
    return this.session?.role === 'nurse' || this.session?.role === 'charge_nurse';
  }

  /** Every ward of the facility with its beds; none where the server did not say. */
  async wards(): Promise<WardBeds[]> {
    let wards: WardBeds[] = [];
    await this.#done(async () => {
      wards = await get<WardBeds[]>(api.wards);
    });
    return wards;
  }

  /** Null where it was refused; else what to show with it. */
  place(stay: string, to: string, bed: string): Promise<StationDone | null> {
    return this.#census(api.place, { ward: this.ward, stay, to, bed });
  }
  join(stay: string, into: string): Promise<StationDone | null> {
    return this.#census(api.join, { ward: this.ward, stay, into });
  }
  merge(stay: string, into: string): Promise<StationDone | null> {
    return this.#census(api.merge, { ward: this.ward, stay, into });
  }
  part(stay: string, of: string): Promise<StationDone | null> {
    return this.#census(api.part, { ward: this.ward, stay, of, reason: '' });
  }

  async #census(path: string, ask: unknown): Promise<StationDone | null> {
    let done: StationDone | null = null;
    await this.#done(async () => {
      done = await post<StationDone>(path, ask);
    });
    return done;
  }

  /** What the forms of this ward's patients offer. */
  choices(): Promise<Tried<PatientChoices>> {
    return this.tried(() => get<PatientChoices>(api.choices, { ward: this.ward }));
  }
  admit(ask: Omit<StationAdmit, 'ward'>): Promise<Tried<StationDone>> {
    return this.#written(api.admit, ask);
  }
  orderLevel(ask: Omit<StationOrder, 'ward'>): Promise<Tried<StationDone>> {
    return this.#written(api.order, ask);
  }
  precautions(ask: Omit<StationPrecautions, 'ward'>): Promise<Tried<StationDone>> {
    return this.#written(api.precautions, ask);
  }
  pause(ask: Omit<StationPause, 'ward'>): Promise<Tried<StationDone>> {
    return this.#written(api.pause, ask);
  }
  back(ask: Omit<StationBack, 'ward'>): Promise<Tried<StationDone>> {
    return this.#written(api.back, ask);
  }
  discharge(ask: Omit<StationDischarge, 'ward'>): Promise<Tried<StationDone>> {
    return this.#written(api.discharge, ask);
  }

  #written(path: string, ask: object): Promise<Tried<StationDone>> {
    return this.tried(() => post<StationDone>(path, { ward: this.ward, ...ask }));
  }

  /** `date` as "2026-11-22"; null for today. */
  async day(stay: string, date: string | null): Promise<PatientDay | null> {
    let day: PatientDay | null = null;
    await this.#done(async () => {
      day = await get<PatientDay>(api.day, { ward: this.ward, stay, ...(date === null ? {} : { date }) });
    });
    return day;
  }

  choose(theme: Theme): void {
    localStorage.setItem(THEME_KEY, theme);
    this.#theme(theme);
  }

  #theme(theme: Theme): void {
    this.theme = theme;
    showTheme(theme);
  }

  async #done(act: () => Promise<unknown>): Promise<boolean> {
    try {
      await act();
      this.refusal = null;
      return true;
    } catch (thrown) {
      if (thrown instanceof Refused && thrown.status === 401) this.#ended(thrown.refusal);
      else this.refusal = refusalOf(thrown);
      return false;
    }
  }

  #entered(session: StationSession): void {
    this.session = session;
    this.demo = session.demo;
    this.loginRefusal = null;
    this.unwatched = null;
    this.page = { at: this.#firstPage() };
    history.replaceState(this.page, '');
    // What has to be done first, and who has no patients to watch, watches nothing: no alarm ends with them.
    const first = session.wards[0];
    if (session.first !== null || !watchesWards(session.role)) {
      sessionStorage.removeItem(WATCH_KEY);
      return;
    }
    sessionStorage.setItem(WATCH_KEY, '1');
    if (first) this.watch(first.id);
  }

  #firstPage(): Place {
    return firstPage(this.session?.role ?? 'technician');
  }

  /** Nobody is logged in any more, and nobody has logged out: the ward is unwatched, which no quiet page may hide. */
  #ended(refusal: Refusal | null): void {
    if (this.unwatched === null && sessionStorage.getItem(WATCH_KEY) !== null) {
      const since = this.board === null ? '' : moment(this.board);
      this.unwatched = { since, level: this.level, for: new Since() };
    }
    this.#left(refusal);
    this.tick();
  }

  /** Nothing of the ward stays in the page. */
  #left(refusal: Refusal | null): void {
    this.#live?.close();
    this.#live = null;
    this.session = null;
    this.board = null;
    this.ward = '';
    this.refusal = null;
    this.staleFor = 0;
    this.acknowledging = new Set();
    this.#taken.clear();
    this.#silencedHere = null;
    this.said = '';
    facility.forget();
    unsaved.asked = null;
    this.page = { at: 'board' };
    this.loginRefusal = refusal;
    this.demo ||= saidDemo;
  }
}

function refusalOf(thrown: unknown): Refusal {
  if (thrown instanceof Refused) return thrown.refusal;
  throw thrown;
}

export const station = new Station();
