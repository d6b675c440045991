import type { ListItem, Lists } from '../shared/bindings/roster';

export type ListName = Exclude<keyof Lists, 'version'>;

/** In the order in which a technician meets them. */
export const LISTS: [ListName, string, string][] = [
  ['places', 'Places', 'Where a patient is, first tap of a check.'],
  ['activities', 'Doing what', 'What a patient does, second tap of a check.'],
  ['precautions', 'Precautions', 'Ordered by nurses, most serious first.'],
  ['not_done', 'Not done, because', 'Why a check was not done.'],
  ['affect', 'Affect', 'How a patient seems, of a mood entry.'],
  ['before', 'Before it', 'What came before, of a behaviour entry.'],
  ['behaviours', 'What happened', 'Of a behaviour entry.'],
  ['staff_did', 'What staff did', 'Of a behaviour entry.'],
  ['then', 'Then', 'How it ended, of a behaviour entry.'],
  ['affected', 'Affected', 'Who or what was affected, of a behaviour entry.'],
];

/** A check has these; on the other lists every item makes the same. */
export const MAKES_OF: Partial<Record<ListName, [ListItem['makes'], string][]>> = {
  places: [
    ['check', 'a check'],
    ['heard', 'heard: no check'],
  ],
  activities: [
    ['check', 'a check'],
    ['cant_tell', "can't tell: no check"],
  ],
};

export const TONES: [ListItem['tone'], string][] = [
  ['plain', 'plain'],
  ['notice', 'tell a nurse'],
  ['alert', 'behaviour entry'],
];

/** "Dining room" becomes "dining_room"; a code that is taken gets a number. Records name it for ever. */
export function codeOf(label: string, taken: readonly string[]): string {
  const plain = label.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
  const code =
    plain
      .replaceAll(/[^a-z0-9]+/g, '_')
      .replaceAll(/^_+|_+$/g, '')
      .slice(0, 40) || 'item';
  if (!taken.includes(code)) return code;
  let n = 2;
  while (taken.includes(`${code}_${String(n)}`)) n += 1;
  return `${code}_${String(n)}`;
}

export const fresh = (): ListItem => ({
  code: '',
  label: '',
  hint: '',
  tone: 'plain',
  makes: 'check',
  common: true,
  short: '',
});
