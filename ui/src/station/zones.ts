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
 * Every moment that clocks of the zone show as `local` ("2026-11-22T02:47"), earliest first: two where the clocks go
 * back, none where they go forward over it, or where it is no time.
 */
export function momentsIn(zone: string, local: string): number[] {
  return [...new Set(candidates(zone, local))].filter((at) => wall(zone, at) === local).sort((a, b) => a - b);
}

/**
 * One of them, for a question of which the answer is no record: of an hour that comes twice, the first; of one that is
 * left out, the moment as the clock before the change would have it. NaN where it is no time.
 */
export function momentIn(zone: string, local: string): number {
  return momentsIn(zone, local)[0] ?? candidates(zone, local)[0] ?? NaN;
}

/** `local` by the clocks of the day before and of the day after. */
function candidates(zone: string, local: string): number[] {
  const shown = Date.parse(`${local}Z`);
  if (Number.isNaN(shown)) return [];
  const offset = (at: number) => Date.parse(`${wall(zone, at)}Z`) - Math.floor(at / 60_000) * 60_000;
  return [shown - DAY_MS, shown + DAY_MS].map((at) => shown - offset(at));
}

/** "UTC-5", by the zone's clocks at that moment. */
export function offsetIn(zone: string, at: number): string {
  const parts = new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeZoneName: 'shortOffset' }).formatToParts(at);
  return parts.find((part) => part.type === 'timeZoneName')?.value.replace('GMT', 'UTC') ?? '';
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
