import type { SettingsSetUp } from '../shared/bindings/station';

/** All but the limits, which are a list. */
export type SettingName = Exclude<keyof SettingsSetUp, 'limits_minutes'>;

/** What a number is, its unit, the range that makes sense of it, and what comes of it. The server decides. */
export type Setting = {
  name: SettingName;
  words: string;
  unit: string;
  from: number;
  to: number;
  why: string;
};

export const SETTINGS: { words: string; of: Setting[] }[] = [
  {
    words: 'Checks and levels',
    of: [
      {
        name: 'tolerance_minutes',
        words: 'Tolerance before a gap is late',
        unit: 'minutes',
        from: 0,
        to: 10,
        why: 'Nothing is tolerated at 0. Any other number is printed on every report.',
      },
      {
        name: 'level_stale_minutes',
        words: 'A level is old after',
        unit: 'minutes',
        from: 5,
        to: 1440,
        why: 'From then on the board says loudly since when nothing newer is known.',
      },
    ],
  },
  {
    words: 'People',
    of: [
      {
        name: 'holder_max_minutes',
        words: 'One person holds the observations for at most',
        unit: 'minutes',
        from: 15,
        to: 720,
        why: 'After that the board asks for somebody to take over.',
      },
      {
        name: 'verification_minutes',
        words: 'A nurse verifies every',
        unit: 'minutes',
        from: 15,
        to: 720,
        why: 'A verification that is due later than this is an alarm of the board.',
      },
    ],
  },
  {
    words: 'Tablets',
    of: [
      {
        name: 'idle_lock_seconds',
        words: 'A tablet that nobody touches locks after',
        unit: 'seconds',
        from: 30,
        to: 3600,
        why: 'Not in the middle of a round at walking pace.',
      },
      {
        name: 'offline_sign_in_hours',
        words: 'Sign-in without the server for at most',
        unit: 'hours',
        from: 1,
        to: 168,
        why: 'A tablet that has not heard the server for so long lets nobody in any more; it warns long before.',
      },
    ],
  },
];

/** "0 to 10 minutes"; of long ones also in hours: "15 to 720 minutes (12 hours)". */
export function range({ from, to, unit }: Pick<Setting, 'from' | 'to' | 'unit'>): string {
  const big =
    unit === 'minutes' && to >= 120
      ? ` (${String(to / 60)} hours)`
      : unit === 'seconds' && to >= 120
        ? ` (${String(to / 60)} minutes)`
        : unit === 'hours' && to >= 48
          ? ` (${String(to / 24)} days)`
          : '';
  return `${String(from)} to ${String(to)} ${unit}${big}`;
}

/** "5, 15, 30, 60" */
export const limitsText = (limits: readonly number[]): string => limits.join(', ');

/** The limits of such a text, as they were typed; null where something in it is no number. The server decides. */
export function limitsOf(text: string): number[] | null {
  const parts = text.split(/[\s,;]+/).filter(Boolean);
  return parts.every((part) => /^\d{1,5}$/.test(part)) ? parts.map(Number) : null;
}
