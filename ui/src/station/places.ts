import type { Role } from '../shared/bindings/roster';

/** The pages behind the login, a patient's day excepted. */
export type Place =
  'board' | 'tablets' | 'join' | 'start' | 'wards' | 'staff' | 'lists' | 'settings' | 'audit' | 'account';

/** Of everybody who answers for the patients of a ward. */
const WARD: Place[] = ['board', 'tablets', 'join'];

/**
 * Where a role goes. It only spares people what the server would refuse them: an administrator sees no patient, a
 * manager reads, a charge nurse sees the staff and the tablets of their own wards.
 */
const OPEN: Record<Role, Place[]> = {
  technician: ['board', 'tablets', 'account'],
  nurse: [...WARD, 'account'],
  charge_nurse: [...WARD, 'staff', 'account'],
  manager: ['audit', 'account'],
  administrator: ['start', 'wards', 'staff', 'tablets', 'join', 'lists', 'settings', 'audit', 'account'],
};

export const WORDS: Record<Place, string> = {
  board: 'Live board',
  tablets: 'Tablets',
  join: 'Join a tablet',
  start: 'Facility',
  wards: 'Wards and beds',
  staff: 'Staff',
  lists: 'Lists',
  settings: 'Settings',
  audit: 'Audit',
  account: 'My account',
};

export const placesOf = (role: Role): Place[] => OPEN[role];
export const firstPage = (role: Role): Place => OPEN[role][0] ?? 'account';
/** Has a board. Who has none hears no alarm and is no watch. */
export const watchesWards = (role: Role): boolean => OPEN[role].includes('board');

/** Sees the facility's own list of tablets, not only what the board says of them. */
export const keepsTablets = (role: Role): boolean => role === 'charge_nurse' || role === 'administrator';

export const ROLES: Record<Role, string> = {
  technician: 'technician',
  nurse: 'nurse',
  charge_nurse: 'charge nurse',
  manager: 'manager',
  administrator: 'administrator',
};
/** What a role is for, for whoever gives it. */
export const ROLE_MEANS: Record<Role, string> = {
  technician: 'Checks and entries on the tablet; looks at the board of their wards.',
  nurse: 'Everything of a technician, and levels, patients, concerns and verification on their wards.',
  charge_nurse: 'Everything of a nurse, and the tablets and PINs of their wards.',
  manager: 'Reads reports and the audit of their wards. Records nothing.',
  administrator: 'Wards, staff, lists, settings and tablets. Sees no patient.',
};
