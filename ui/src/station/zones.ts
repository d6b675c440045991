/** Every IANA zone that this browser knows, and `own`, whether or not it counts it among them. */
export function zones(own: string): string[] {
  const known = Intl.supportedValuesOf('timeZone');
  return known.includes(own) ? known : [own, ...known].sort();
}

/** "02:47" */
export function clockIn(zone: string, at: number): string {
  return new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit' }).format(at);
}

/**
 * The moment that clocks of the zone show as `local` ("2026-11-22T02:47"). Of an hour that comes twice, the first; of
 * one that is left out, the moment as the clock before the change would have it. NaN where it is no time.
 */
export function momentIn(zone: string, local: string): number {
  const shown = Date.parse(`${local}Z`);
  if (Number.isNaN(shown)) return NaN;
  const offset = (at: number) => Date.parse(`${wall(zone, at)}Z`) - Math.floor(at / 60_000) * 60_000;
  const candidates = [offset(shown - DAY_MS), offset(shown + DAY_MS)].map((by) => shown - by);
  return candidates.find((at) => wall(zone, at) === local) ?? candidates[0] ?? NaN;
}

const DAY_MS = 86_400_000;

/** "2026-11-22T02:47", as clocks of the zone show that moment. */
export function wall(zone: string, at: number): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  }).formatToParts(at);
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((one) => one.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}`;
}
