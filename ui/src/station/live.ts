import type { Refusal } from '../shared/bindings/refusal';
import type { StationSession } from '../shared/bindings/station';
import type { Board } from '../shared/bindings/views';
import { api, get, Refused } from './ask';

/** Without an update for this long the page knows nothing: it greys and says so. The server speaks every 5 s. */
export const STALE_AFTER_MS = 15_000;
/** How long a silent connection is given before it is opened anew. */
const REOPEN_AFTER_MS = 10_000;
const RETRY_MS = 2_000;
const OTHER_WARDS: Refusal = {
  code: 'ward.not_yours',
  what: 'You are not on the list of that ward any more.',
  next: 'Somebody of the ward has to log in here.',
};

/**
 * How long ago, by two clocks: a steady one, which no change of the computer's time moves, and the wall clock, because
 * the steady one may stand still while the computer sleeps. The longer of the two counts.
 */
export class Since {
  readonly #steady = performance.now();
  readonly #wall = Date.now();

  ms(): number {
    return Math.max(performance.now() - this.#steady, Date.now() - this.#wall);
  }
}

/** The live board of one ward. It opens again by itself until it is closed. */
export class Live {
  #source: EventSource | null = null;
  #opened = new Since();
  #heard = new Since();
  #retry: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(
    private readonly ward: string,
    private readonly on: {
      board: (board: Board) => void;
      /** The server no longer knows who is looking, or they no longer belong to the ward. */
      ended: (refusal: Refusal) => void;
    },
  ) {
    this.#open();
  }

  /** Milliseconds since the last update, or since the first try where none came yet. */
  age(): number {
    return this.#heard.ms();
  }

  /** To be called often: a connection that is open but silent may be dead without anybody having been told. */
  watch(): void {
    if (!this.#closed && this.age() > STALE_AFTER_MS && this.#opened.ms() > REOPEN_AFTER_MS) this.#open();
  }

  close(): void {
    this.#closed = true;
    this.#drop();
  }

  #drop(): void {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = null;
  }

  #open(): void {
    this.#drop();
    this.#opened = new Since();
    const source = new EventSource(`${api.live}?${new URLSearchParams({ ward: this.ward }).toString()}`);
    this.#source = source;
    source.addEventListener('board', (event: MessageEvent<string>) => {
      let board: Board;
      try {
        board = JSON.parse(event.data) as Board;
      } catch {
        return; // Cut on the way: no update.
      }
      this.#heard = new Since();
      this.on.board(board);
    });
    source.addEventListener('error', () => {
      // While CONNECTING the browser tries again by itself; CLOSED means that it was answered with a refusal.
      if (this.#source === source && source.readyState === EventSource.CLOSED) void this.#askWhy();
    });
  }

  async #askWhy(): Promise<void> {
    try {
      const { wards } = await get<StationSession>(api.session);
      if (!this.#closed && !wards.some((one) => one.id === this.ward)) {
        this.close();
        this.on.ended(OTHER_WARDS);
        return;
      }
    } catch (thrown) {
      if (!this.#closed && thrown instanceof Refused && thrown.status === 401) {
        this.close();
        this.on.ended(thrown.refusal);
        return;
      }
    }
    if (this.#closed) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(
      () => {
        this.#open();
      },
      RETRY_MS + Math.random() * RETRY_MS,
    );
  }
}
