import type { Entry } from '../shared/bindings/commands';
import type { Code, HarmTalk, MoodSource } from '../shared/bindings/kinds';
import type { Form } from './route';

/** What stands in a form so far. Everything is empty at first; nothing is filled in by the program. */
export type Half = {
  source: MoodSource | null;
  score: number | null;
  affect: Code[];
  harm: HarmTalk | null;
  before: Code[];
  what: Code[];
  staff_did: Code[];
  then: Code | null;
  affected: Code[];
  reason: Code | null;
  words: string;
};

export const empty = (): Half => ({
  source: null,
  score: null,
  affect: [],
  harm: null,
  before: [],
  what: [],
  staff_did: [],
  then: null,
  affected: [],
  reason: null,
  words: '',
});

/** The entry that a form stands for; null while too little is entered for one. */
export function toEntry(form: Form, half: Half): Entry | null {
  const words = half.words.trim();
  switch (form) {
    case 'mood':
      if (half.source === null) return null;
      return {
        kind: 'mood',
        mood: { source: half.source, score: half.score, affect: half.affect, words, harm: half.harm },
      };
    case 'behaviour':
      if (half.what.length === 0 && words === '') return null;
      return {
        kind: 'behaviour',
        behaviour: {
          before: half.before,
          what: half.what,
          staff_did: half.staff_did,
          then: half.then,
          affected: half.affected,
          words,
        },
      };
    case 'note':
      return words === '' ? null : { kind: 'note', words };
    case 'concern':
      return words === '' ? null : { kind: 'concern', words };
    case 'not_done':
      return half.reason === null ? null : { kind: 'not_done', reason: half.reason, words };
  }
}

/** A kept form, read back. Fields that a newer or older page wrote otherwise are left empty; null if it is no form at all. */
export function readHalf(text: string): Half | null {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof read !== 'object' || read === null) return null;
  const kept = read as Record<string, unknown>;
  const codes = (value: unknown): Code[] =>
    Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
  const one = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return {
    source: one(kept['source']) as MoodSource | null,
    score: typeof kept['score'] === 'number' ? kept['score'] : null,
    affect: codes(kept['affect']),
    harm: one(kept['harm']) as HarmTalk | null,
    before: codes(kept['before']),
    what: codes(kept['what']),
    staff_did: codes(kept['staff_did']),
    then: one(kept['then']),
    affected: codes(kept['affected']),
    reason: one(kept['reason']),
    words: one(kept['words']) ?? '',
  };
}

/** The codes with one more or one less. */
export function toggled<C extends string>(codes: readonly C[], code: C): C[] {
  return codes.includes(code) ? codes.filter((one) => one !== code) : [...codes, code];
}
