import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import type { Refusal } from '../../src/shared/bindings/refusal';
import type { StationSession } from '../../src/shared/bindings/station';
import type { Board, JoinShown } from '../../src/shared/bindings/views';
import { board, day, INVITE, SESSION } from './ward';

/** The policy of the real server, so that a page which breaks it breaks here first. */
const WARDS = [
  { id: 'ward-willow', name: 'Willow Ward', beds: ['101A', '104A'] },
  { id: 'ward-oak', name: 'Oak Ward', beds: ['201', '202'] },
];
const POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";
const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

const ENDED: Refusal = {
  code: 'session.ended',
  what: 'You are not logged in.',
  next: 'Log in with your name and password.',
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
    if (path === 'login') {
      const { body } = this.posts.at(-1) as { body: { password: string } };
      if (body.password !== 'amber-heron-42') return json(401, WRONG);
      this.loggedIn = true;
      return json(200, this.session);
    }
    if (!this.loggedIn) return json(401, ENDED);
    if (path === 'logout') {
      this.loggedIn = false;
      return json(204);
    }
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
