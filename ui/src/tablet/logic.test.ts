import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { elapsed } from './clock';
import { DEAD_MS, DeadTime } from './dead';
import { DraftKeeper, KEEP_AFTER_MS } from './draftkeeper';
import { heldOrder, heldThings, QUIET_MS, TouchHold } from './hold';
import { Once } from './once';
import { withFailed, without, type NotSaved } from './unsaved';

describe('the board never re-sorts under a touch', () => {
  test('it may move when nobody has touched it', () => {
    expect(new TouchHold().mayMove(0)).toBe(true);
  });

  test('it stands while any finger is down, however long', () => {
    const hold = new TouchHold();
    hold.down(1, 0);
    hold.down(2, 10);
    hold.up(1, 20);
    expect(hold.mayMove(60_000)).toBe(false);
  });

  test('it stands for the quiet time after the last finger is up', () => {
    const hold = new TouchHold();
    hold.down(1, 0);
    hold.up(1, 100);
    expect(hold.mayMove(100 + QUIET_MS)).toBe(false);
    expect(hold.mayMove(101 + QUIET_MS)).toBe(true);
  });

  test('a finger that the window lost does not hold it for ever', () => {
    const hold = new TouchHold();
    hold.down(1, 0);
    hold.lost(50);
    expect(hold.mayMove(51 + QUIET_MS)).toBe(true);
  });

  test('a held order keeps every place, drops who left and puts who came at the end', () => {
    expect(heldOrder(['a', 'b', 'c'], ['c', 'x', 'a'], false)).toEqual(['a', 'c', 'x']);
    expect(heldOrder(['a', 'b', 'c'], ['c', 'x', 'a'], true)).toEqual(['c', 'x', 'a']);
    expect(heldOrder([], ['b', 'a'], false)).toEqual(['b', 'a']);
  });

  test('what stands above the cards neither comes nor goes under a finger, and says what is new of it', () => {
    const of = (key: string, words: string) => ({ key, words });
    const standing = [of('a', 'old'), of('b', 'old')];
    const wanted = [of('x', 'new'), of('b', 'new')];
    const key = (one: { key: string }) => one.key;
    expect(heldThings(standing, wanted, key, false)).toEqual([of('a', 'old'), of('b', 'new')]);
    expect(heldThings(standing, wanted, key, true)).toEqual(wanted);
  });

  test('the same order is the same array, so that nothing is drawn again', () => {
    const standing = ['a', 'b'];
    expect(heldOrder(standing, ['a', 'b'], true)).toBe(standing);
  });
});

test('taps are dead for the dead time after a save, and alive after it', () => {
  const dead = new DeadTime();
  expect(dead.swallows(0)).toBe(false);
  dead.begin(1000);
  expect(dead.swallows(1000 + DEAD_MS - 1)).toBe(true);
  expect(dead.swallows(1000 + DEAD_MS)).toBe(false);
});

test('a second tap while the first is being saved saves nothing more', async () => {
  const once = new Once<string>();
  let saves = 0;
  let done: () => void = () => undefined;
  const first = once.run('draft', () => new Promise<void>((resolve) => ((saves += 1), (done = resolve))));
  await once.run('draft', () => Promise.resolve(void (saves += 1)));
  expect(saves).toBe(1);
  done();
  await first;
  await once.run('draft', () => Promise.resolve(void (saves += 1)));
  expect(saves).toBe(2);
});

describe('a half-made entry', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('is kept once after a pause, with the newest state', async () => {
    const kept: string[] = [];
    const keeper = new DraftKeeper<string>((state) => Promise.resolve(kept.push(state) > 0));
    keeper.changed('a');
    keeper.changed('ab');
    await vi.advanceTimersByTimeAsync(KEEP_AFTER_MS - 1);
    expect(kept).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(kept).toEqual(['ab']);
  });

  test('is kept at once when the form closes', async () => {
    const kept: string[] = [];
    const keeper = new DraftKeeper<string>((state) => Promise.resolve(kept.push(state) > 0));
    keeper.changed('a');
    await keeper.flush();
    expect(kept).toEqual(['a']);
  });

  test('an older state never lands after a newer one', async () => {
    const landed: string[] = [];
    const waits = [20, 1];
    const keeper = new DraftKeeper<string>(async (state) => {
      await new Promise((resolve) => setTimeout(resolve, waits.shift()));
      landed.push(state);
      return true;
    });
    keeper.changed('old');
    void keeper.flush();
    keeper.changed('new');
    const all = keeper.flush();
    await vi.advanceTimersByTimeAsync(50);
    await all;
    expect(landed).toEqual(['old', 'new']);
  });

  test('what was refused is said, and kept by the next try', async () => {
    const kept: string[] = [];
    let full = true;
    const keeper = new DraftKeeper<string>((state) => Promise.resolve(!full && kept.push(state) > 0));
    keeper.changed('a');
    expect(await keeper.flush()).toBe(false);
    full = false;
    expect(await keeper.flush()).toBe(true);
    expect(kept).toEqual(['a']);
  });

  test('is not kept any more once it is saved', async () => {
    const kept: string[] = [];
    const keeper = new DraftKeeper<string>((state) => Promise.resolve(kept.push(state) > 0));
    keeper.changed('a');
    await keeper.stop();
    await vi.advanceTimersByTimeAsync(KEEP_AFTER_MS * 2);
    expect(kept).toEqual([]);
  });
});

describe('what was not saved', () => {
  const failed = (staff: string, key: string, code = 'disk.full'): NotSaved => ({
    key,
    staff,
    tapped: null,
    from: { at: 'board' },
    refusal: { code, what: '', next: '' },
    again: () => Promise.resolve(),
  });

  test("one person's save takes nothing of another's away", () => {
    const all = withFailed(withFailed([], failed('maya', 'a')), failed('sara', 'a'));
    expect(without(all, 'sara', 'a').map((one) => one.staff)).toEqual(['maya']);
  });

  test('two things of one person are two, and a further try of one is one', () => {
    const all = withFailed(withFailed([], failed('maya', 'a')), failed('maya', 'b'));
    const again = withFailed(all, failed('maya', 'a', 'disk.failed'));
    expect(again.map((one) => [one.key, one.refusal.code])).toEqual([
      ['a', 'disk.failed'],
      ['b', 'disk.full'],
    ]);
  });
});

test('the timer reads minutes and seconds, and hours when it must', () => {
  expect([elapsed(-5), elapsed(42_900), elapsed(725_000), elapsed(3_731_000)]).toEqual([
    '0:00',
    '0:42',
    '12:05',
    '1:02:11',
  ]);
});
