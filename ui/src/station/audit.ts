import type { Act } from '../shared/bindings/kinds';

/** What the audit holds, in words, in groups. */
export const ACTS: [string, [Act, string][]][] = [
  [
    'Coming and going',
    [
      ['signed_in', 'signed in'],
      ['sign_in_failed', 'sign-in failed'],
      ['signed_out', 'signed out'],
      ['locked_out', 'locked out'],
      ['lock_lifted', 'lock-out lifted'],
    ],
  ],
  [
    'Patients’ data',
    [
      ['viewed', 'looked at'],
      ['exported', 'exported'],
      ['printed', 'printed'],
    ],
  ],
  [
    'Staff',
    [
      ['staff_added', 'added'],
      ['staff_changed', 'changed'],
      ['staff_revoked', 'taken off the list'],
      ['pin_set', 'PIN made'],
      ['password_set', 'password set'],
      ['factor_set', 'second factor'],
    ],
  ],
  [
    'Facility',
    [
      ['set_up', 'set up'],
      ['ward_changed', 'ward changed'],
      ['lists_changed', 'lists changed'],
      ['settings_changed', 'settings changed'],
    ],
  ],
  [
    'Tablets and keys',
    [
      ['invite_made', 'invite made'],
      ['invite_refused', 'invite refused'],
      ['refused', 'refused'],
      ['key_rotated', 'key changed'],
      ['recovered', 'recovered'],
      ['backed_up', 'backed up'],
      ['unknown', 'not known to this version'],
    ],
  ],
];

export const ACT_WORDS = Object.fromEntries(ACTS.flatMap(([, acts]) => acts)) as Record<Act, string>;
/** Something did not let somebody in, or was refused. */
export const REFUSED: ReadonlySet<Act> = new Set<Act>(['sign_in_failed', 'locked_out', 'invite_refused', 'refused']);

/** The query of an ask: only what narrows it. */
export function query(ask: { from: number; to: number; act: string; staff: string }): Record<string, string> {
  const entries = Object.entries(ask).map(([name, value]) => [name, Number.isNaN(value) ? '' : String(value)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== ''));
}
