import type { Refusal } from '../shared/bindings/refusal';

/**
 * The field that a refusal is about: the one whose name is a word of its code, so that "staff.number_taken" stands at
 * the number and "bed.taken" at the bed. Null where it is about none of them, or about the whole.
 */
export function fieldOf<F extends string>(refusal: Refusal | null, fields: readonly F[]): F | null {
  const words = refusal?.code.split(/[._]/).reverse() ?? [];
  for (const word of words) {
    const field = fields.find((one) => one === word);
    if (field !== undefined) return field;
  }
  return null;
}
