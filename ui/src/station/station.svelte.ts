import type { Refusal } from '../shared/bindings/refusal';
import type { InviteMade, LogIn, StationSession } from '../shared/bindings/station';
import type { Board, PatientDay } from '../shared/bindings/views';
import { showTheme } from '../shared/theme';
import { api, get, post, Refused, saidDemo } from './ask';
import { Live, STALE_AFTER_MS } from './live';
import type { Order } from './order';
import { Loudspeaker } from './sound';

export type Page = { at: 'board' } | { at: 'tablets' } | { at: 'join' } | { at: 'day'; stay: string };
export type Theme = 'day' | 'night';

const TICK_MS = 500;
/** The only thing that this page keeps in the browser. */
const THEME_KEY = 'lamplight-station-theme';

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
  /** What an action refused, until it is closed or another succeeds. */
  refusal = $state.raw<Refusal | null>(null);
  theme = $state<Theme>('day');
  order = $state<Order>('walking');
  /** Milliseconds without an update where that is too long, else 0. */
  staleFor = $state(0);
  sounding = $state(false);
  /** Milliseconds that the signal stays quiet, else 0. */
  quietFor = $state(0);
  /** Records whose acknowledgement is on its way or was taken, until the board says the same. */
  acknowledging = $state.raw<ReadonlySet<string>>(new Set());

  readonly loudspeaker = new Loudspeaker(() => {
    this.sounding = this.loudspeaker.running;
  });
  #live: Live | null = null;

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
      this.page = (event.state as Page | null) ?? { at: 'board' };
    });
    await this.resume();
  }

  /** Is somebody still logged in here? */
  async resume(): Promise<void> {
    try {
      this.#entered(await get<StationSession>(api.session));
    } catch (thrown) {
      this.#left(thrown instanceof Refused && thrown.status === 401 ? null : refusalOf(thrown));
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

  async logOut(): Promise<void> {
    if (await this.#done(() => post(api.logout))) this.#left(null);
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
        this.tick();
      },
      ended: (refusal) => {
        this.#left(refusal);
      },
    });
  }

  tick(): void {
    const live = this.#live;
    if (live === null) return;
    live.watch();
    const age = live.age();
    this.staleFor = age > STALE_AFTER_MS ? age : 0;
    const level = this.level;
    const now = performance.now();
    this.quietFor = this.loudspeaker.quietFor(level, now);
    this.loudspeaker.sound(level, now);
  }

  /** What sounds. A page that knows nothing cannot say that all is well: it sounds too, at the lowest level at least. */
  get level() {
    const said = this.board?.signal.level ?? 'quiet';
    return this.staleFor > 0 && said === 'quiet' ? 'overdue' : said;
  }

  arm(): void {
    this.loudspeaker.arm();
  }
  silence(): void {
    this.loudspeaker.silence(this.level, performance.now());
    this.tick();
  }

  go(page: Page): void {
    this.refusal = null;
    if (page.at === 'day' || page.at !== this.page.at) history.pushState(page, '');
    this.page = page;
  }

  async acknowledge(record: string): Promise<void> {
    if (this.acknowledging.has(record)) return;
    this.acknowledging = new Set([...this.acknowledging, record]);
    const took = await this.#done(() => post(api.acknowledge, { ward: this.ward, of: record }));
    if (!took) this.acknowledging = new Set([...this.acknowledging].filter((one) => one !== record));
  }

  /** True where it was taken. */
  async verify(): Promise<boolean> {
    return this.#done(() => post(api.verify, { ward: this.ward }));
  }

  async invite(): Promise<InviteMade | null> {
    let made: InviteMade | null = null;
    await this.#done(async () => {
      made = await post<InviteMade>(api.invite, { ward: this.ward });
    });
    return made;
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
      if (thrown instanceof Refused && thrown.status === 401) this.#left(thrown.refusal);
      else this.refusal = refusalOf(thrown);
      return false;
    }
  }

  #entered(session: StationSession): void {
    this.session = session;
    this.demo = session.demo;
    this.loginRefusal = null;
    this.page = { at: 'board' };
    history.replaceState(this.page, '');
    const first = session.wards[0];
    if (first) this.watch(first.id);
  }

  /** Nobody is logged in: nothing of the ward stays in the page. */
  #left(refusal: Refusal | null): void {
    this.#live?.close();
    this.#live = null;
    this.session = null;
    this.board = null;
    this.ward = '';
    this.refusal = null;
    this.staleFor = 0;
    this.acknowledging = new Set();
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
