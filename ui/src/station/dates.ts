import type { PatientDay } from '../shared/bindings/views';

const DAY_MS = 86_400_000;

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
