import { expect, test } from 'vitest';
import { fieldOf } from './refused';

const refusal = (code: string) => ({ code, what: '', next: '' });

test.each([
  ['set_up.code', 'code'],
  ['password.short', 'password'],
  ['staff.number_taken', 'number'],
  ['login.password', 'password'],
  ['server.no_answer', null],
])('%s stands at %s', (code, field) => {
  expect(fieldOf(refusal(code), ['code', 'login', 'number', 'password'])).toBe(field);
});

test('nothing refused stands nowhere', () => {
  expect(fieldOf(null, ['code'])).toBeNull();
});
