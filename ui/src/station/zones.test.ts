import { expect, test } from 'vitest';
import { momentIn, momentsIn, offsetIn, wall, zones } from './zones';

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

test.each([
  ['America/New_York', '2026-11-22T02:47', ['2026-11-22T07:47']],
  // The night in which the clocks go back: 01:30 comes twice, an hour apart, and 02:00 once.
  ['America/New_York', '2026-11-01T00:59', ['2026-11-01T04:59']],
  ['America/New_York', '2026-11-01T01:30', ['2026-11-01T05:30', '2026-11-01T06:30']],
  ['America/New_York', '2026-11-01T02:00', ['2026-11-01T07:00']],
  ['Europe/London', '2026-10-25T01:30', ['2026-10-25T00:30', '2026-10-25T01:30']],
  // The night in which they go forward: 02:30 is left out.
  ['America/New_York', '2026-03-08T01:59', ['2026-03-08T06:59']],
  ['America/New_York', '2026-03-08T02:00', []],
  ['America/New_York', '2026-03-08T02:30', []],
  ['America/New_York', '2026-03-08T03:00', ['2026-03-08T07:00']],
  // Half an hour, on the other side of the world.
  ['Australia/Lord_Howe', '2026-04-05T01:45', ['2026-04-04T14:45', '2026-04-04T15:15']],
  ['Europe/London', 'soon', []],
])('clocks in %s show %s at every one of %j', (zone, local, moments) => {
  expect(momentsIn(zone, local)).toEqual(moments.map((at) => Date.parse(`${at}Z`)));
});

test('the two of a night are told apart by their offset', () => {
  const [first, second] = momentsIn('America/New_York', '2026-11-01T01:30');
  expect([offsetIn('America/New_York', first ?? 0), offsetIn('America/New_York', second ?? 0)]).toEqual([
    'UTC-4',
    'UTC-5',
  ]);
});
