import { expect, test } from 'vitest';
import { doubled, moved, roomOf, spread } from './beds';

test.each([
  ['201', ['201']],
  ['201, 203B ,', ['201', '203B']],
  ['101-103', ['101', '102', '103']],
  ['101A-102B', ['101A', '101B', '102A', '102B']],
  ['08–10', ['08', '09', '10']],
  ['E1-E3', ['E1', 'E2', 'E3']],
  ['E1-3', ['E1', 'E2', 'E3']],
  ['Side room', ['Side room']],
])('%s stands for %j', (text, labels) => {
  expect(spread(text)).toEqual(labels);
});

test.each(['', ' , ', '110-101', '101B-102A', '101A-102', '1-9999', 'E1-W3'])('%s cannot be read', (text) => {
  expect(spread(text)).toBeNull();
});

test('a bed stands in the room that its label says', () => {
  expect(['104A', '104', 'E12b', 'Side room'].map(roomOf)).toEqual(['104', '104', 'E12', 'Side room']);
});

test('moving keeps everybody, and nothing leaves the list', () => {
  expect(moved(['a', 'b', 'c'], 2, -1)).toEqual(['a', 'c', 'b']);
  expect(moved(['a', 'b', 'c'], 0, 1)).toEqual(['b', 'a', 'c']);
  expect(moved(['a', 'b', 'c'], 0, -1)).toEqual(['a', 'b', 'c']);
  expect(moved(['a', 'b', 'c'], 2, 1)).toEqual(['a', 'b', 'c']);
});

test('two beds of one label are found, however they are written', () => {
  expect(doubled([{ label: '101A' }, { label: '102' }, { label: ' 101a' }])).toBe('101a');
  expect(doubled([{ label: '101A' }, { label: '101B' }])).toBeNull();
});
