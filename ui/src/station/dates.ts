import type { PatientDay } from '../shared/bindings/views';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/**
 * The date of a day as the server takes it: "2026-11-22". The noon of a facility's day has that day's date in UTC too,
 * but for the few zones that are 12 h or more away; there the number in the day's own words decides. The browser's zone
 * has no say.
 */
export function dateOf(day: Pick<PatientDay, 'from' | 'date'>): string {
  const iso = (days: number) => new Date(day.from + DAY_MS / 2 + days * DAY_MS).toISOString().slice(0, 10);
  const number = Number(/\b\d{1,2}\b/.exec(day.date)?.[0]);
  return [0, 1, -1].map(iso).find((one) => Number(one.slice(8)) === number) ?? iso(0);
}

/** The date so many days after another. */
export function later(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/**
 * Minutes by which the facility's clocks are ahead of UTC now: what the board's clock shows at its own moment, on the
 * side that the shown day's beginning tells (a clock alone cannot tell Honolulu from Kiritimati).
 */
export function offsetOf(board: { now: number; clock: string }, day: Pick<PatientDay, 'from' | 'date'>): number {
  const near = (Date.parse(`${dateOf(day)}T00:00Z`) - day.from) / MINUTE_MS;
  const [hours = 0, minutes = 0] = board.clock.split(':').map(Number);
  const shown = hours * 60 + minutes - Math.floor((board.now % DAY_MS) / MINUTE_MS);
  const turns = Math.round((near - shown) / 1440);
  return shown + turns * 1440;
}

/** "2026-11-22T02:47" as the facility's clocks show it, `offset` minutes ahead of UTC. */
export function localOf(at: number, offset: number): string {
  return new Date(at + offset * MINUTE_MS).toISOString().slice(0, 16);
}

/** The moment of such a local time; NaN where it is none. */
export function momentOf(local: string, offset: number): number {
  return Date.parse(`${local}Z`) - offset * MINUTE_MS;
}

/** "in 3 h 10 min", "in 45 min", "in 2 days 1 h"; "that time is past" where it is. */
export function fromNow(ms: number): string {
  if (Number.isNaN(ms)) return '';
  if (ms <= 0) return 'that time is past';
  const minutes = Math.round(ms / MINUTE_MS);
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, minutes % 60];
  const said = [
    days > 0 ? `${String(days)} ${days === 1 ? 'day' : 'days'}` : '',
    hours > 0 ? `${String(hours)} h` : '',
    rest > 0 && days === 0 ? `${String(rest)} min` : '',
  ];
  return `in ${said.filter(Boolean).join(' ') || '0 min'}`;
}
