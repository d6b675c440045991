import { lists } from '../../dev/fixture/lists';
import type {
  AuditPage,
  Facility,
  FactorBegun,
  PatientChoices,
  StaffSetUp,
  StationSession,
} from '../../src/shared/bindings/station';
import { INVITE, SESSION } from './ward';

/** The facility of the invented night as an administrator sees it: no patient in it. */

export const ADMINISTRATOR: StationSession = {
  ...SESSION,
  zone: 'America/Chicago',
  staff: 'staff-Joan',
  name: 'J. Reyes',
  role: 'administrator',
  wards: [],
};

const person = (given: string, family: string, number: string, more: Partial<StaffSetUp> = {}): StaffSetUp => ({
  id: `staff-${given}`,
  family,
  given,
  number,
  role: 'technician',
  wards: ['ward-willow'],
  active: true,
  until_words: '',
  has_pin: true,
  login: '',
  has_factor: false,
  ...more,
});

const beds = (from: number, to: number, letters: string, area: string) =>
  Array.from({ length: to - from + 1 }, (_, n) => String(from + n)).flatMap((room) =>
    [...letters].map((letter) => ({ label: `${room}${letter}`, room, area })),
  );

export const setUpFacility = (): Facility => ({
  name: 'Demo Hospital',
  zone: 'America/Chicago',
  demo: true,
  version: 12,
  wards: [
    {
      id: 'ward-willow',
      name: 'Willow Ward',
      beds: [...beds(101, 105, 'AB', 'East hallway'), ...beds(106, 110, 'AB', 'West hallway')],
      patients: 19,
    },
    { id: 'ward-oak', name: 'Oak Ward', beds: beds(201, 204, 'A', 'Upstairs'), patients: 3 },
  ],
  staff: [
    person('Joan', 'Reyes', 'ADM 0007', {
      role: 'administrator',
      wards: [],
      has_pin: false,
      login: 'j.reyes',
      has_factor: true,
    }),
    person('Sara', 'Lindqvist', 'RN 1180', { role: 'charge_nurse', login: 's.lindqvist' }),
    person('Maya', 'Okafor', 'MHT 2304'),
    person('Ana', 'Diaz', 'AG 771', { has_pin: false, until_words: 'until 07:30' }),
    person('Henry', 'Park', 'RN 1204', {
      role: 'nurse',
      wards: ['ward-willow', 'ward-oak'],
      login: 'h.park',
      has_factor: true,
    }),
    person('Tom', 'Vale', 'MHT 1999', { active: false }),
    person('Wilhelmina', 'Featherstonehaugh-Montgomery', 'MHT 2310', { wards: ['ward-willow', 'ward-oak'] }),
  ],
  tablets: [
    tablet('W-1', 'in touch', { last_known: 'last number known: 811' }),
    tablet('W-2', 'in touch', { last_known: 'last number known: 1,204' }),
    tablet('W-3', 'silent since 01:52', { silent: true, last_known: 'last number known: 530' }),
    tablet('W-4', 'never heard', { ward: 'ward-oak', silent: true }),
    tablet('W-0', 'taken out of use: lost', { revoked: true, last_known: 'last number known: 77' }),
  ],
  lists,
  settings: {
    tolerance_minutes: 0,
    level_stale_minutes: 60,
    limits_minutes: [5, 15, 30, 60],
    idle_lock_seconds: 240,
    holder_max_minutes: 120,
    verification_minutes: 120,
    offline_sign_in_hours: 72,
  },
});

function tablet(name: string, contact: string, more: Partial<Facility['tablets'][number]>) {
  return {
    id: `t-${name}`,
    name,
    ward: 'ward-willow',
    revoked: false,
    contact,
    silent: false,
    last_known: '',
    ...more,
  };
}

/** Nobody but its administrator. */
export const emptyFacility = (): Facility => ({
  ...setUpFacility(),
  wards: [],
  staff: setUpFacility().staff.slice(0, 1),
  tablets: [],
});

export const FACTOR: FactorBegun = { secret: 'JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP', qr_svg: INVITE.qr_svg };

export const CHOICES: PatientChoices = {
  precautions: ['Suicide', 'Self-harm', 'Leaving risk', 'Fall', 'Seizure', 'Safety of others'].map((label) => ({
    code: label.toLowerCase().replaceAll(/[^a-z]+/g, '_'),
    label,
  })),
  limits: [5, 15, 30, 60],
  limit_max: 1440,
  beds: [
    { bed: '101A', taken: true },
    { bed: '111A', taken: false },
    { bed: '111B', taken: false },
  ],
};

const row = (clock: string, act: AuditPage['rows'][number]['act'], by: string, words: string, flags = '') => ({
  at: 0,
  clock: `26 Nov ${clock}`,
  act,
  by,
  words,
  stay: null,
  flags,
});
export const AUDIT: AuditPage = {
  more: false,
  rows: [
    row('02:47', 'viewed', 'S. Lindqvist, RN 1180', 'looked at a day of a patient of Willow Ward'),
    row('02:41', 'lock_lifted', 'S. Lindqvist, RN 1180', 'let A. Diaz in again on W-3'),
    row('02:40', 'locked_out', 'nobody signed in', 'W-3 locked A. Diaz out after 6 tries'),
    row('02:12', 'signed_in', 'T. Vale, MHT 1999', 'signed in on W-3', 'was off the list by then'),
    row('01:50', 'sign_in_failed', 'nobody signed in', 'a log-in at the station with the name “admin”'),
    row('00:05', 'backed_up', 'the facility server', 'a backup of 48,211 records'),
    row('00:01', 'settings_changed', 'J. Reyes, ADM 0007', 'tolerance 0 to 1 min'),
  ],
};
