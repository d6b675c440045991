import type { InviteMade, StationSession } from '../../src/shared/bindings/station';
import type { Board, Card, CardState, PatientDay, StripMark } from '../../src/shared/bindings/views';
import { day as oneDay, gapTotals } from '../../dev/fixture/day';
import { cards as people, clock, MINUTE, NOW } from '../../dev/fixture/people';

/** Willow Ward at 02:47:10 of an invented night. */

export const SESSION: StationSession = {
  staff: 'staff-Sara',
  name: 'S. Lindqvist',
  role: 'charge_nurse',
  facility_name: 'Demo Hospital',
  zone: 'America/New_York',
  demo: true,
  wards: [{ id: 'ward-willow', name: 'Willow Ward' }],
  version: '0.1.0',
  first: null,
};

/** Four hours of checks at true times, the same for the same patient; some gaps over the limit. */
function strip(card: Card, n: number): StripMark[] {
  const from = NOW - 240 * MINUTE;
  if (card.state === 'paused') return [{ from, to: NOW, what: 'pause' }];
  if (card.state === 'watched') return [{ from: NOW - 137 * MINUTE, to: NOW, what: 'watched' }];
  const limit = Number(/^Q(\d+)$/.exec(card.level)?.[1] ?? 15);
  let seed = 7 + n * 31;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const last = card.last_seen?.at ?? NOW;
  const marks: StripMark[] = [];
  if (NOW - last > limit * MINUTE) marks.push({ from: last + limit * MINUTE, to: NOW, what: 'late' });
  for (let at = last; at > from;) {
    marks.push({ from: at, to: at, what: 'check' });
    const gap = limit * (0.6 + random() * 0.36 + (random() < 0.03 ? 0.5 : 0)) * MINUTE;
    if (gap > limit * MINUTE) marks.push({ from: at - gap + limit * MINUTE, to: at, what: 'late' });
    at -= gap;
  }
  if (n === 6) marks.push({ from: NOW - 6 * MINUTE, to: NOW - 6 * MINUTE, what: 'tried' });
  if (n === 13) marks.push({ from: NOW - 96 * MINUTE, to: NOW - 96 * MINUTE, what: 'not_done' });
  if (n === 15) marks.push({ from: NOW - 70 * MINUTE, to: NOW - 70 * MINUTE, what: 'late_entry' });
  return marks;
}

const GO = 'may be on W-3: go and look';
export const cards = (): Card[] =>
  people(NOW).map((card, n) => ({
    ...card,
    line: card.state === 'not_known' ? GO : card.line,
    strip: strip(card, n),
  }));
/** The ward as the picture in the design has it: nobody without a level, somebody with everybody who needs it. */
export const calmCards = (): Card[] =>
  cards().filter((card) => card.state !== 'unwatched' && card.state !== 'no_level');

export function board(rows: Card[] = calmCards()): Board {
  const of = (state: CardState) => rows.filter((card) => card.state === state).length;
  return {
    ward: 'ward-willow',
    ward_name: 'Willow Ward',
    facility_name: 'Demo Hospital',
    demo: true,
    now: NOW,
    clock: clock(NOW),
    tolerance: '',
    holder: {
      staff: 'staff-Maya',
      name: 'M. Okafor',
      since: NOW - 107 * MINUTE,
      since_clock: '01:00',
      too_long: false,
    },
    round_of: 19,
    round_seen: 14,
    overdue: of('overdue'),
    due: of('due'),
    not_known: of('not_known'),
    cards: rows,
    next: rows.find((card) => card.state === 'overdue')?.stay ?? null,
    concerns: [
      {
        record: 'concern-1',
        stay: 'stay-107A',
        bed: '107A',
        at: NOW - 6 * MINUTE,
        clock: '02:41',
        words: 'Says that people in the wall tell him to hit first. Would not say who.',
        by: 'M. Okafor',
      },
    ],
    emergencies: [],
    contacts: [
      { tablet: 't1', name: 'W-1', last: NOW, last_clock: '02:47', silent: false, revoked: false, confirmed: 811 },
      { tablet: 't2', name: 'W-2', last: NOW, last_clock: '02:46', silent: false, revoked: false, confirmed: 1204 },
      { tablet: 't3', name: 'W-3', last: NOW, last_clock: '02:05', silent: true, revoked: false, confirmed: 530 },
      { tablet: 't4', name: 'W-0', last: NOW, last_clock: '20:11', silent: true, revoked: true, confirmed: 77 },
    ],
    verification: {
      last_clock: '01:02',
      last_by: 'S. Lindqvist',
      due_at: NOW + 15 * MINUTE,
      due_clock: '03:02',
      overdue: false,
    },
    signal: {
      level: 'overdue',
      rooms: ['105A', '104A'],
      words: '1 overdue, 1 not known',
      silenced_until: null,
      silenced_by: '',
    },
  };
}

/** The ward with a concern and an emergency that nobody has answered, and its rows in the longest of usual words. */
export function pressed(): Board {
  const rows = calmCards().map((card, n) => ({
    ...card,
    similar_name: card.similar_name || n === 10 || n === 17,
    name: n === 10 ? 'Garcia, Daniela' : card.name,
    line:
      card.state === 'paused'
        ? 'At the ED since 17:50 · J. Whitfield, technician of the float pool'
        : n % 4 === 2
          ? card.line.replace(/·.*/, '· seems to hear or see things that others do not')
          : card.line,
  }));
  const [emergency] = worst().emergencies;
  return {
    ...board(rows),
    emergencies: emergency
      ? [{ ...emergency, steps: ['Call for help out loud, do not search alone', ...emergency.steps] }]
      : [],
  };
}

/** The worst of nights: two emergencies, many concerns, nobody who holds, and names as long as they come. */
export function worst(): Board {
  const base = board(cards());
  const emergency = (n: number, title: string, place: string, acknowledged_by: string | null) => ({
    record: `emergency-${String(n)}`,
    what: 'not_found' as const,
    title,
    stay: 'stay-104A',
    place,
    name: n === 1 ? 'Garcia, Mateo' : '',
    last_seen: n === 1 ? '02:29 hallway' : '',
    at: NOW - 2 * MINUTE,
    clock: '02:45',
    by: n === 1 ? 'M. Okafor' : 'not signed in',
    acknowledged_by,
    recorded: true,
    sent: true,
    told: '',
    steps:
      n === 1 ? ['Bathroom, bedroom behind the door, courtyard, exits', 'Nurse starts the missing-patient plan'] : [],
    others_due: n === 1 ? ['102A in 2 min', '110A in 3 min'] : [],
    may_claim: false,
  });
  return {
    ...base,
    holder: null,
    emergencies: [
      emergency(1, 'Patient not found', '104A', null),
      emergency(2, 'Need help', 'Day room', 'S. Lindqvist'),
    ],
    concerns: [
      ...base.concerns,
      { ...base.concerns[0], record: 'concern-2', bed: '110B', clock: '02:45', words: 'Scratches on left arm, new.' },
      {
        ...base.concerns[0],
        record: 'concern-3',
        bed: '101B',
        clock: '02:46',
        words: 'Wants to phone his lawyer now.',
      },
    ] as Board['concerns'],
    verification: { ...base.verification, due_clock: '02:30', overdue: true },
    signal: {
      level: 'emergency',
      rooms: ['104A'],
      words: 'emergency, 1 overdue, 1 not known',
      silenced_until: null,
      silenced_by: '',
    },
  };
}

/** Midnight at the start of that day, five hours behind UTC. */
const MIDNIGHT = Date.UTC(2026, 10, 22, 5);

/** The part of the fixture's 24 hours that is today, with its figures counted from its rows. */
export function day(of: Board, stay: string): PatientDay {
  const card = of.cards.find((one) => one.stay === stay);
  const all = oneDay(stay, card?.bed ?? '', card?.name ?? '', NOW);
  const rows = all.rows.filter((row) => row.observed_at >= MIDNIGHT);
  return {
    ...all,
    mrn: '0012117',
    born: '1991-03-12',
    from: MIDNIGHT,
    to: MIDNIGHT + 1440 * MINUTE,
    rows,
    strip: all.strip.filter((mark) => mark.from >= MIDNIGHT),
    hours: Array.from({ length: 12 }, (_, n) => MIDNIGHT + 120 * n * MINUTE).map((at) => ({ at, label: clock(at) })),
    totals: {
      checks: rows.filter((row) => row.kind === 'check' && row.late_entry === '' && row.retracted === '').length,
      ...gapTotals(rows),
      not_done: rows.filter((row) => row.kind === 'not_done').length,
      heard_or_cant_tell: rows.filter((row) => row.kind === 'heard' || row.kind === 'cant_tell').length,
      late_entries: rows.filter((row) => row.late_entry !== '').length,
      retracted: rows.filter((row) => row.retracted !== '').length,
    },
  };
}

/** A drawing in the shape that the server's encoder makes; only its squares are invented. */
const squares = Array.from({ length: 97 * 97 }, (_, n) => n)
  .filter((n) => (n * 7919) % 13 < 6)
  .map((n) => `M${String(n % 97)} ${String(Math.floor(n / 97))}h1v1h-1z`)
  .join('');
export const INVITE: InviteMade = {
  invite: `lamplight:${'b3V0cHV0IG9mIGEgZmFjaWxpdHk'.repeat(24)}`,
  qr_svg: `<?xml version="1.0" standalone="yes"?><svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="97" height="97" viewBox="0 0 97 97" shape-rendering="crispEdges"><rect x="0" y="0" width="97" height="97" fill="#ffffff"/><script>document.title='the picture ran'</script><path fill="#000000" d="${squares}"/></svg>`,
  expires_at: NOW + 30 * MINUTE,
  expires_clock: '03:17',
};
