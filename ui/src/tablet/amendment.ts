import type { AmendmentAction, AmendmentReason, Code } from '../shared/bindings/kinds';
import type { DayRow } from '../shared/bindings/views';

/** Kept under this name while half made; it is no form of its own. */
export const AMENDMENT_FORM = 'amendment';

export type How = 'wrong_patient' | 'mis_tap' | 'correct' | 'add' | 'other';
const HOWS: readonly How[] = ['wrong_patient', 'mis_tap', 'correct', 'add', 'other'];

/** What is corrected: enough to name it after midnight, when it stands in no row of the day that is open. */
export type Amended = Pick<DayRow, 'record' | 'kind' | 'clock' | 'words'>;
/** A draft is short, and these words only name the row. */
const NAMED_BY_CHARS = 200;

/** What stands in a correction so far. */
export type HalfAmendment = {
  of: Amended;
  how: How | null;
  place: Code | null;
  activity: Code | null;
  words: string;
};

export const emptyAmendment = ({ record, kind, clock, words }: Amended): HalfAmendment => ({
  of: { record, kind, clock, words: words.slice(0, NAMED_BY_CHARS) },
  how: null,
  place: null,
  activity: null,
  words: '',
});

/** Read back; what another release wrote otherwise is left empty. Null where it does not say what it corrects. */
export function readAmendment(text: string): HalfAmendment | null {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return null;
  }
  const fields = (value: unknown) =>
    (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const string = (value: unknown) => (typeof value === 'string' ? value : null);
  const kept = fields(read);
  const of = fields(kept['of']);
  const [record, kind, clock] = [string(of['record']), string(of['kind']), string(of['clock'])];
  if (record === null || kind === null || clock === null) return null;
  return {
    of: { record, kind: kind as DayRow['kind'], clock, words: string(of['words']) ?? '' },
    how: HOWS.find((how) => how === kept['how']) ?? null,
    place: string(kept['place']),
    activity: string(kept['activity']),
    words: string(kept['words']) ?? '',
  };
}

/** The correction that it stands for; null while too little is entered for one. */
export function toAmendment(half: HalfAmendment): { action: AmendmentAction; reason: AmendmentReason } | null {
  const { how, place, activity } = half;
  const words = half.words.trim();
  if (how === 'wrong_patient' || how === 'mis_tap') return { action: { do: 'retract' }, reason: how };
  if (how === 'other') return words === '' ? null : { action: { do: 'retract' }, reason: 'other' };
  if (how === 'add') return words === '' ? null : { action: { do: 'add', words }, reason: 'other' };
  if (how === 'correct' && place !== null && activity !== null)
    return { action: { do: 'correct_check', place, activity }, reason: 'mis_tap' };
  return null;
}
