import { wall } from './zones';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** The date of a day of the facility as the server takes it: "2026-11-22". The browser's own zone has no say. */
export function dateOf(day: { from: number }, zone: string): string {
  return wall(zone, day.from).slice(0, 10);
}

/** The date so many days after another. */
export function later(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
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
