import { expect, test } from 'vitest';
import type { StaffSetUp } from '../shared/bindings/station';
import { found } from './staff';

const one = (family: string, more: Partial<StaffSetUp> = {}): StaffSetUp => ({
  id: family,
  family,
  given: 'Ana',
  number: `N ${family.length.toString()}`,
  role: 'technician',
  wards: ['w'],
  active: true,
  until_words: '',
  has_pin: true,
  login: '',
  has_factor: false,
  ...more,
});
const staff = [
  one('Öztürk', { has_pin: false }),
  one('Diaz', { role: 'charge_nurse' }),
  one('Zima', { active: false, has_pin: false }),
];
const names = (typed: string, shown: 'active' | 'all' | 'off' | 'no_pin') =>
  found(staff, typed, shown, () => 'Willow Ward').map((person) => person.family);

test('who is off the list is shown only where they are asked for', () => {
  expect(names('', 'active')).toEqual(['Diaz', 'Öztürk']);
  expect(names('', 'off')).toEqual(['Zima']);
  expect(names('', 'all')).toEqual(['Diaz', 'Öztürk', 'Zima']);
});

test('nobody who is off the list counts as one without a PIN', () => {
  expect(names('', 'no_pin')).toEqual(['Öztürk']);
});

test('every typed word has to fit, in any order', () => {
  expect(names('willow nurse charge', 'all')).toEqual(['Diaz']);
  expect(names('diaz oak', 'all')).toEqual([]);
});
