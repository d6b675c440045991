import { expect, test } from 'vitest';
import { momentIn, wall, zones } from './zones';

test('the own zone is offered, known to the list or not', () => {
  expect(zones('Europe/London')).toContain('Europe/London');
  expect(zones('Mars/Olympus')).toContain('Mars/Olympus');
});

test.each([
  ['America/Chicago', '2026-11-22T02:47', '2026-11-22T08:47:00Z'],
  ['Asia/Tokyo', '2026-11-22T02:47', '2026-11-21T17:47:00Z'],
  ['Asia/Kathmandu', '2026-11-22T02:47', '2026-11-21T21:02:00Z'],
  // The hour that comes twice: the first of them.
  ['America/Chicago', '2026-11-01T01:30', '2026-11-01T06:30:00Z'],
  // The hour that is left out.
  ['America/Chicago', '2026-03-08T02:30', '2026-03-08T08:30:00Z'],
  ['America/Chicago', '2026-03-08T03:30', '2026-03-08T08:30:00Z'],
])('clocks in %s show %s at %s', (zone, local, at) => {
  expect(new Date(momentIn(zone, local)).toISOString()).toBe(at.replace('Z', '.000Z'));
});

test('a moment and its clock are each other’s', () => {
  const at = Date.UTC(2026, 5, 1, 12, 5);
  expect(momentIn('Europe/London', wall('Europe/London', at))).toBe(at);
  expect(momentIn('Europe/London', 'soon')).toBeNaN();
});
