import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import type { Refusal } from '../../src/shared/bindings/refusal';
import type { Door, Facility as SetUpOfFacility, StationSession } from '../../src/shared/bindings/station';
import type { Board, JoinShown } from '../../src/shared/bindings/views';
import { AUDIT, CHOICES, FACTOR, setUpFacility } from './office';
import { board, day, INVITE, SESSION } from './ward';

/** The policy of the real server, so that a page which breaks it breaks here first. */
const WARDS = [
  { id: 'ward-willow', name: 'Willow Ward', beds: ['101A', '104A'] },
  { id: 'ward-oak', name: 'Oak Ward', beds: ['201', '202'] },
];
const POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";
const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

const ENDED: Refusal = {
  code: 'auth.session',
  what: 'You are not logged in.',
  next: 'Log in with your name and password.',
};
const CODE_NEEDED: Refusal = {
  code: 'auth.code_needed',
  what: 'This person has a second factor.',
  next: 'Type the six digits that the app shows.',
};
const WRONG: Refusal = {
  code: 'login.wrong',
  what: 'The name or the password is not right.',
  next: 'Try again, or ask an administrator.',
};
const NOT_ASKED: Refusal = { code: 'request.foreign', what: 'This came from another page.', next: 'Load it again.' };

/**
 * An invented facility server over loopback: it serves the built pages and answers from memory, and a test decides
 * what it says next. It knows no rule of the ward.
 */
export class Facility {
  board: Board = board();
  session: StationSession = { ...SESSION };
  loggedIn = false;
  /** Bodies of the POSTs that came with the header, by path. */
  posts: { path: string; body: unknown }[] = [];
  /** Answers the next POST to a path with this instead. */
  refuseNext: { path: string; refusal: Refusal; status: number } | null = null;
  demoHeader = true;
  door: Door = { set_up: false, demo: true, facility_name: 'Demo Hospital' };
  /** What administrators and charge nurses are given; saving changes it as far as a page can see. */
  setUp: SetUpOfFacility = setUpFacility();
  /** The log-in asks for a code too. */
  factor = false;
  audit = AUDIT;
  /** Queries of the audit, in order. */
  readonly audits: Record<string, string>[] = [];
  /** Dates by which days were asked for; empty where none was given. */
  readonly dates: string[] = [];
  /** Takes connections and says nothing on them, as a server does that hangs. */
  hangs = false;
  opened = 0;
  #streams = new Set<ServerResponse>();
  #server: Server;

  private constructor(private readonly pages: string) {
    this.#server = createServer((request, response) => {
      void this.#answer(request, response);
    });
  }

  static async open(pages: string): Promise<Facility> {
    const facility = new Facility(pages);
    await new Promise<void>((done) => facility.#server.listen(0, '127.0.0.1', done));
    return facility;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}/station/`;
  }

  /** What a day says of stays that are read as part of it. */
  joins: JoinShown[] = [];
  /** What it says of what was done to the census. */
  notice = '';

  /** Says the board to everybody who listens. */
  say(change: Partial<Board> = {}): void {
    this.hangs = false;
    this.board = { ...this.board, ...change };
    for (const stream of this.#streams) this.#write(stream);
  }

  /** Every listener's connection breaks; the browser opens another. */
  cut(): void {
    for (const stream of this.#streams) stream.destroy();
    this.#streams.clear();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  #write(stream: ServerResponse): void {
    stream.write(`event: board\ndata: ${JSON.stringify(this.board)}\n\n`);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://facility');
    response.setHeader('content-security-policy', POLICY);
    response.setHeader('cache-control', 'no-store');
    if (this.demoHeader) response.setHeader('lamplight-demo', '1');
    const json = (status: number, body?: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body === undefined ? '' : JSON.stringify(body));
    };
    if (!pathname.startsWith('/station/api/')) {
      this.#file(pathname, response);
      return;
    }
    const path = pathname.slice('/station/api/'.length);
    if (request.method === 'POST') {
      if (request.headers['lamplight-station'] !== '1') return json(403, NOT_ASKED);
      let text = '';
      for await (const piece of request) text += String(piece);
      this.posts.push({ path, body: text === '' ? null : JSON.parse(text) });
      const refused = this.refuseNext;
      if (refused?.path === path) {
        this.refuseNext = null;
        return json(refused.status, refused.refusal);
      }
    }
    if (path === 'door') return json(200, this.door);
    if (path === 'set-up') {
      this.door = { ...this.door, set_up: false };
      this.loggedIn = true;
      return json(200, this.session);
    }
    if (path === 'login') {
      const { body } = this.posts.at(-1) as { body: { password: string; code: string } };
      if (body.password !== 'amber-heron-42') return json(401, WRONG);
      if (this.factor && body.code !== '123456') return json(401, CODE_NEEDED);
      this.loggedIn = true;
      return json(200, this.session);
    }
    if (!this.loggedIn) return json(401, ENDED);
    if (path === 'logout') {
      this.loggedIn = false;
      return json(204);
    }
    if (path === 'password' || path === 'factor/confirm') {
      this.session = { ...this.session, first: null };
      return json(204);
    }
    if (path === 'factor/begin') return json(200, FACTOR);
    if (path === 'audit') {
      this.audits.push(Object.fromEntries(searchParams));
      return json(200, this.audit);
    }
    if (path === 'choices') return json(200, CHOICES);
    if (path === 'facility' || path.startsWith('facility/')) return json(200, this.#changed(path));
    if (['admit', 'order', 'precautions', 'pause', 'back', 'discharge'].includes(path))
      return json(200, { record: 'record-2', notice: this.notice });
    if (path === 'session') return json(200, this.session);
    if (path === 'acknowledge' || path === 'verify' || path === 'silence') return json(204);
    if (path === 'invite') return json(200, INVITE);
    if (path === 'wards') return json(200, WARDS);
    if (['place', 'join', 'merge', 'part'].includes(path))
      return json(200, { record: 'record-1', notice: this.notice });
    if (path === 'day') this.dates.push(searchParams.get('date') ?? '');
    if (path === 'day') return json(200, { ...day(this.board, searchParams.get('stay') ?? ''), joins: this.joins });
    if (path === 'live') {
      this.opened += 1;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      this.#streams.add(response);
      response.on('close', () => this.#streams.delete(response));
      if (!this.hangs) this.#write(response);
      return;
    }
    json(404, {
      code: 'request.unknown',
      what: 'There is nothing at this address.',
      next: 'The station is at /station/.',
    });
  }

  /** A change as a page can see it. */
  #changed(path: string): unknown {
    const at = this.setUp;
    const body = (this.posts.at(-1)?.body ?? {}) as Record<string, unknown>;
    const id = String(body['id'] ?? 'made-1');
    const put = <T extends { id: string }>(all: T[], one: T) =>
      all.some((other) => other.id === id)
        ? all.map((other) => (other.id === id ? { ...other, ...one } : other))
        : [...all, one];
    if (path === 'facility/ward') at.wards = put(at.wards, { patients: 0, ...body, id } as never);
    if (path === 'facility/staff') {
      const nothing = { has_pin: false, login: '', has_factor: false, until_words: '' };
      const known = at.staff.find((one) => one.id === id);
      at.staff = put(at.staff, { ...(known ?? nothing), ...body, id } as never);
    }
    if (path === 'facility/lists') at.lists = { ...(body['lists'] as typeof at.lists), version: at.lists.version + 1 };
    if (path === 'facility/settings') at.settings = body as never;
    if (path === 'facility/tablet/move')
      at.tablets = at.tablets.map((one) => (one.id === body['tablet'] ? { ...one, ward: String(body['to']) } : one));
    if (path === 'facility/tablet/revoke')
      at.tablets = at.tablets.map((one) => (one.id === body['tablet'] ? { ...one, revoked: true } : one));
    const person = at.staff.find((one) => one.id === body['staff']);
    const name = `${person?.given ?? ''} ${person?.family ?? ''}`;
    if (path === 'facility/factor' && person) person.has_factor = false;
    if (path === 'facility/pin' && person) {
      person.has_pin = true;
      return { secret: '418305', words: `PIN of ${name} for tablets`, facility: at };
    }
    if (path === 'facility/login' && person) {
      person.login = String(body['login']);
      const secret = person.login === '' ? '' : 'copper-window-lantern-27';
      return { secret, words: `First password of ${name} for the station`, facility: at };
    }
    return at;
  }

  #file(pathname: string, response: ServerResponse): void {
    const path = normalize(pathname.endsWith('/') ? `${pathname}index.html` : pathname);
    try {
      const bytes = readFileSync(join(this.pages, path));
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' });
      response.end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  }
}
