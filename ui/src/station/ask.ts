import type { Refusal } from '../shared/bindings/refusal';

/** A refusal of the facility server, thrown. */
export class Refused extends Error {
  constructor(
    readonly refusal: Refusal,
    /** HTTP status; 0 where there was no answer at all. */
    readonly status: number,
  ) {
    super(refusal.code);
  }
}

export const api = {
  login: '/station/api/login',
  logout: '/station/api/logout',
  session: '/station/api/session',
  live: '/station/api/live',
  acknowledge: '/station/api/acknowledge',
  verify: '/station/api/verify',
  silence: '/station/api/silence',
  invite: '/station/api/invite',
  wards: '/station/api/wards',
  place: '/station/api/place',
  join: '/station/api/join',
  merge: '/station/api/merge',
  part: '/station/api/part',
  day: '/station/api/day',
  door: '/station/api/door',
  setUp: '/station/api/set-up',
  password: '/station/api/password',
  factorBegin: '/station/api/factor/begin',
  factorConfirm: '/station/api/factor/confirm',
  facility: '/station/api/facility',
  ward: '/station/api/facility/ward',
  staff: '/station/api/facility/staff',
  pin: '/station/api/facility/pin',
  logins: '/station/api/facility/login',
  factorDrop: '/station/api/facility/factor',
  lists: '/station/api/facility/lists',
  settings: '/station/api/facility/settings',
  tabletMove: '/station/api/facility/tablet/move',
  tabletRevoke: '/station/api/facility/tablet/revoke',
  audit: '/station/api/audit',
  choices: '/station/api/choices',
  admit: '/station/api/admit',
  order: '/station/api/order',
  precautions: '/station/api/precautions',
  pause: '/station/api/pause',
  back: '/station/api/back',
  discharge: '/station/api/discharge',
} as const;

/** A server that answers at all answers within this; a page that waits for ever says nothing. */
const PATIENCE_MS = 15_000;

/** Throws [`Refused`], never anything else. */
export async function get<T>(path: string, query: Record<string, string> = {}): Promise<T> {
  const asked = new URLSearchParams(query).toString();
  return answer<T>(asked === '' ? path : `${path}?${asked}`, {});
}

/** Throws [`Refused`], never anything else. The header is what a foreign page cannot set. */
export async function post<T>(path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { 'lamplight-station': '1' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  return answer<T>(path, { method: 'POST', headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
}

/** Whether the server said, in any answer so far, that its people are invented. Known before anybody has logged in. */
export let saidDemo = false;

async function answer<T>(path: string, how: RequestInit): Promise<T> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, {
      ...how,
      cache: 'no-store',
      credentials: 'same-origin',
      redirect: 'error',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    text = await response.text();
  } catch {
    throw new Refused(NO_ANSWER, 0);
  }
  if (response.headers.get('lamplight-demo') === '1') saidDemo = true;
  let said: unknown;
  try {
    said = text === '' ? undefined : JSON.parse(text);
  } catch {
    throw new Refused(NOT_OURS, response.status);
  }
  if (response.ok) return said as T;
  throw new Refused(isRefusal(said) ? said : NOT_OURS, response.status);
}

function isRefusal(said: unknown): said is Refusal {
  if (typeof said !== 'object' || said === null) return false;
  return ['code', 'what', 'next'].every((key) => key in said && typeof said[key as keyof typeof said] === 'string');
}

const NO_ANSWER: Refusal = {
  code: 'server.no_answer',
  what: 'The facility server gave no answer.',
  next: 'Check the network of this computer and try again; until then this page knows nothing new.',
};
const NOT_OURS: Refusal = {
  code: 'server.not_ours',
  what: 'Something answered, but not as the facility server does.',
  next: 'Load the page again; if it stays so, tell whoever keeps the server.',
};
