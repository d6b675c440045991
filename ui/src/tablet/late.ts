const MINUTE_MS = 60_000;

/** The moment of a chosen hour (its own beginning) and typed minute; null while they make none. */
export function pickedAt(hour: number | null, minute: string): number | null {
  return hour !== null && /^[0-5]?\d$/.test(minute) ? hour + Number(minute) * MINUTE_MS : null;
}

/** What stands in a late entry so far. */
export type HalfLate = {
  hour: number | null;
  minute: string;
  place: string | null;
  activity: string | null;
  words: string;
};

export const emptyLate = (): HalfLate => ({ hour: null, minute: '', place: null, activity: null, words: '' });

/** Read back; what another release wrote otherwise is left empty. */
export function readLate(text: string): HalfLate {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return emptyLate();
  }
  if (typeof read !== 'object' || read === null) return emptyLate();
  const kept = read as Record<string, unknown>;
  const string = (value: unknown) => (typeof value === 'string' ? value : null);
  return {
    hour: typeof kept['hour'] === 'number' ? kept['hour'] : null,
    minute: string(kept['minute']) ?? '',
    place: string(kept['place']),
    activity: string(kept['activity']),
    words: string(kept['words']) ?? '',
  };
}
