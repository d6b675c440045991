import type { StaffId } from '../shared/bindings/ids';
import type { Refusal } from '../shared/bindings/refusal';
import type { Route } from './route';

/** A moment by the board's time, and as the facility's clock shows it. */
export type Moment = { at: number; clock: string };

/**
 * A save that did not happen. It stays until it happens or its person gives it up. `key` is the same for every try of
 * one thing; `tapped` is when its person tapped, where that is the time that is recorded.
 */
export type NotSaved = {
  key: string;
  staff: StaffId;
  refusal: Refusal;
  tapped: Moment | null;
  /** What was open: while it still is, what was entered stands there. */
  from: Route;
  again: () => Promise<void>;
};

/** The program takes a save that is tried again later than this as a late entry of the first tap, ms. For words only. */
export const LATE_AFTER_MS = 30_000;

const same = (one: NotSaved, staff: StaffId, key: string) => one.staff === staff && one.key === key;

/** What is not saved, with one more; a further try of the same thing takes the place of the earlier one. */
export function withFailed(all: readonly NotSaved[], failed: NotSaved): NotSaved[] {
  const at = all.findIndex((one) => same(one, failed.staff, failed.key));
  return at < 0 ? [...all, failed] : all.with(at, failed);
}

/** What is not saved, without this one thing of this one person. */
export function without(all: readonly NotSaved[], staff: StaffId, key: string): NotSaved[] {
  return all.filter((one) => !same(one, staff, key));
}
