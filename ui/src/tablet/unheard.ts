import type { StayId } from '../shared/bindings/ids';
import type { EmergencyKind } from '../shared/bindings/kinds';
import type { Refusal } from '../shared/bindings/refusal';
import type { OpenEmergency } from '../shared/bindings/views';
import type { Moment } from './unsaved';

const TITLES: Record<EmergencyKind, string> = {
  need_help: 'Need help',
  not_found: 'Patient not found',
  not_breathing: 'Not breathing, not responding',
  danger: 'Hurting self, danger now',
};

/** Of a call for help that even the program behind the page could not show. Never a record's. */
export const UNHEARD = 'unheard';

/** The page of a call for help that got no answer from the program: all that can be said without it. */
export function unheard(
  what: EmergencyKind,
  stay: StayId | null,
  place: string,
  why: Refusal,
  { at, clock }: Moment,
): OpenEmergency {
  return {
    record: UNHEARD,
    what,
    title: TITLES[what],
    stay,
    place,
    name: '',
    last_seen: '',
    at,
    clock,
    by: '',
    may_claim: false,
    acknowledged_by: null,
    recorded: false,
    sent: false,
    told: 'This tablet has told nobody and could not record it. Use your alarm or shout.',
    steps: [why.what, why.next],
    others_due: [],
  };
}
