import type { RecordId, StayId } from '../shared/bindings/ids';

export type Form = 'mood' | 'behaviour' | 'note' | 'concern' | 'not_done';
export type Order = 'walking' | 'place' | 'urgent';

/**
 * What is open. `back` is where closing or saving leads; `resume`, `late` and `amend` name the half-made thing to go on with;
 * `owed` is a concern that an entry has promised: it is kept from the start, so that it cannot be forgotten.
 */
export type Route =
  | { at: 'board' }
  | { at: 'pad'; stay: StayId; found?: RecordId }
  | { at: 'form'; form: Form; stay: StayId; back: Route; resume?: RecordId; owed?: boolean }
  | { at: 'day'; stay: StayId; back: Route; late?: RecordId; amend?: RecordId }
  | { at: 'emergency'; record: RecordId };

export const FORMS: Record<Form, string> = {
  mood: 'mood',
  behaviour: 'behaviour',
  note: 'note',
  concern: 'concern',
  not_done: 'not-done',
};

export const isForm = (form: string): form is Form => form in FORMS;

/** Half-made late entries are kept under this name; they are no form of their own. */
export const LATE_FORM = 'late_entry';
