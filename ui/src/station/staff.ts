import type { StaffSetUp } from '../shared/bindings/station';

export type Shown = 'active' | 'all' | 'off' | 'no_pin';

/** Whoever has every typed word somewhere in name, number, role, log-in or ward; by family name. */
export function found(
  staff: readonly StaffSetUp[],
  typed: string,
  shown: Shown,
  wardName: (id: string) => string,
): StaffSetUp[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (one: StaffSetUp) => {
    const text = [one.family, one.given, one.number, one.role.replace('_', ' '), one.login, ...one.wards.map(wardName)]
      .join(' ')
      .toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const counts = (one: StaffSetUp) =>
    shown === 'all' || (shown === 'off' ? !one.active : one.active && (shown === 'active' || !one.has_pin));
  const by = new Intl.Collator('en', { sensitivity: 'base' });
  return staff
    .filter((one) => counts(one) && fits(one))
    .sort((a, b) => by.compare(a.family, b.family) || by.compare(a.given, b.given));
}
