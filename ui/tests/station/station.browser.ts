import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { ids } from '../../src/station/testids';
import { Desk, launch, type Size } from './browser';
import { board, calmCards, pressed, worst } from './ward';

let browser: Browser;
let desk: Desk;

beforeAll(async () => {
  browser = await launch();
});
afterEach(() => desk.close());
afterAll(() => browser.close());

const sit = async (size: Size = 'wide', more: BrowserContextOptions = {}) =>
  (desk = await Desk.open(browser, inject('pages'), size, more));

/** A clock in the page's hands: time passes when the test says so. */
async function withClock(): Promise<void> {
  await desk.page.clock.install();
}

describe('every page, in both themes and sizes', () => {
  const PAGES: Record<string, () => Promise<void>> = {
    login: async () => {
      await desk.page.goto(desk.facility.url);
      await desk.at(ids.loginName).waitFor();
    },
    'login-refused': async () => {
      await desk.page.goto(desk.facility.url);
      await desk.at(ids.loginName).fill('s.lindqvist');
      await desk.at(ids.loginPassword).fill('wrong');
      await desk.at(ids.loginSubmit).click();
      await desk.at(ids.refusal).waitFor();
    },
    board: () => desk.board(),
    'board-worst': async () => {
      desk.facility.board = worst();
      await desk.board();
    },
    'board-pressed': async () => {
      desk.facility.board = pressed();
      await desk.board();
    },
    'board-stale': async () => {
      await withClock();
      await desk.board();
      desk.facility.hangs = true;
      await desk.page.clock.runFor(23_000);
      await desk.at(ids.stale).waitFor();
    },
    verify: async () => {
      await desk.board();
      await desk.at(ids.verify).click();
      await desk.at(ids.verifySign).waitFor();
    },
    census: async () => {
      await desk.board();
      await desk.at(ids.row('104A')).click();
      await desk.at(ids.census).click();
      await desk.at(ids.move).waitFor();
    },
    day: async () => {
      await desk.board();
      await desk.at(ids.row('104A')).click();
      await desk.at(ids.dayRow(0)).waitFor();
    },
    tablets: async () => {
      await desk.board();
      await desk.at(ids.nav('tablets')).click();
    },
    join: async () => {
      await desk.board();
      await desk.at(ids.nav('join')).click();
      await desk.at(ids.makeInvite).click();
      await desk.at(ids.inviteQr).waitFor();
    },
  };
  const CASES = Object.keys(PAGES).flatMap((name) =>
    (['day', 'night'] as const).flatMap((theme) => (['wide', 'small'] as const).map((size) => ({ name, theme, size }))),
  );

  test.each(CASES)('$name $theme $size: no serious finding, nothing cut off', async ({ name, theme, size }) => {
    await sit(size);
    await desk.page.addInitScript((chosen) => {
      localStorage.setItem('lamplight-station-theme', chosen);
    }, theme);
    await PAGES[name]?.();
    expect(await desk.page.evaluate(() => document.documentElement.dataset['theme'])).toBe(theme);
    await desk.picture(`${name}-${theme}-${size}`);
    await desk.isSound();
  });
});

describe('the login', () => {
  test('says what was refused, keeps the name, and lets in who is right', async () => {
    await sit();
    await desk.page.goto(desk.facility.url);
    await desk.at(ids.loginName).fill('s.lindqvist');
    await desk.at(ids.loginPassword).fill('wrong');
    await desk.at(ids.loginSubmit).click();
    await expect.poll(() => desk.at(ids.refusal).textContent()).toContain('The name or the password is not right.');
    expect(await desk.at(ids.refusal).textContent()).toContain('Try again, or ask an administrator.');
    expect(await desk.at(ids.loginName).inputValue()).toBe('s.lindqvist');
    expect(await desk.at(ids.loginPassword).inputValue()).toBe('');
    await desk.at(ids.loginPassword).fill('amber-heron-42');
    await desk.page.keyboard.press('Enter');
    await desk.at(ids.row('104A')).waitFor();
    expect(desk.facility.posts.at(-1)?.body).toEqual({ name: 's.lindqvist', password: 'amber-heron-42', code: '' });
    expect(desk.page.url()).toBe(desk.facility.url);
  });

  test('says DEMO DATA where the server says that it is', async () => {
    await sit();
    await desk.page.goto(desk.facility.url);
    await desk.at(ids.demo).waitFor();
    desk.facility.demoHeader = false;
    desk.facility.door = { ...desk.facility.door, demo: false };
    await desk.page.reload();
    await desk.at(ids.loginName).waitFor();
    expect(await desk.at(ids.demo).count()).toBe(0);
  });

  test('a session that ended leaves nothing of the ward on the page', async () => {
    await sit();
    await desk.board();
    desk.facility.loggedIn = false;
    desk.facility.cut();
    await desk.at(ids.loginName).waitFor({ timeout: 15_000 });
    expect(await desk.at(ids.refusal).textContent()).toContain('You are not logged in.');
    expect(await desk.page.content()).not.toContain('Garcia');
    expect(await desk.page.title()).not.toContain('Willow');
  });

  test('logging out leaves nothing of the ward on the page', async () => {
    await sit();
    await desk.board();
    await desk.at(ids.logout).click();
    await desk.at(ids.loginName).waitFor();
    expect(desk.facility.posts.at(-1)?.path).toBe('logout');
    expect(await desk.page.content()).not.toContain('Garcia');
  });
});

describe('a page that hears nothing', () => {
  test('greys after 15 s, says since when, and comes back by itself', async () => {
    await sit();
    await withClock();
    await desk.board();
    desk.facility.hangs = true;
    await desk.page.clock.runFor(14_000);
    expect(await desk.at(ids.stale).count()).toBe(0);
    await desk.page.clock.runFor(2_000);
    await desk.at(ids.stale).waitFor();
    expect(await desk.at(ids.stale).textContent()).toContain(
      'No update since 02:47:10: this page does not know the ward.',
    );
    expect(await desk.page.locator('.frame').evaluate((frame) => getComputedStyle(frame).filter)).toContain(
      'grayscale',
    );
    expect(await desk.page.title()).toBe('◌ no update · Willow Ward');
    desk.facility.say({ now: desk.facility.board.now + 16_000 });
    await desk.at(ids.stale).waitFor({ state: 'detached' });
    expect(await desk.page.locator('.frame').evaluate((frame) => getComputedStyle(frame).filter)).toBe('none');
  });

  test('says so too where not even a first update came, and opens the connection anew', async () => {
    await sit();
    await withClock();
    await desk.page.route('**/station/api/live*', () => undefined);
    desk.facility.loggedIn = true;
    await desk.page.goto(desk.facility.url);
    await desk.at(ids.nav('board')).waitFor();
    await desk.page.clock.runFor(16_000);
    expect(await desk.at(ids.stale).textContent()).toContain('No update since this page was opened');
    await desk.page.unroute('**/station/api/live*');
    await desk.page.clock.runFor(11_000);
    await desk.at(ids.row('104A')).waitFor();
    expect(await desk.at(ids.stale).count()).toBe(0);
  });

  test('a cut connection comes back without anybody doing anything', async () => {
    await sit();
    await desk.board();
    desk.facility.cut();
    desk.facility.board = { ...desk.facility.board, clock: '02:48' };
    await expect.poll(() => desk.page.locator('header .clock').textContent(), { timeout: 20_000 }).toContain('02:48');
    expect(desk.facility.opened).toBeGreaterThan(1);
  });
});

describe('what a person does', () => {
  test('acknowledging a concern and an emergency posts that record of that ward, once', async () => {
    await sit();
    desk.facility.board = worst();
    await desk.board();
    for (const record of ['concern-2', 'emergency-1']) {
      await desk.at(ids.ack(record)).dblclick();
      await expect.poll(() => desk.at(ids.ack(record)).isDisabled()).toBe(true);
    }
    expect(desk.facility.posts).toEqual([
      { path: 'acknowledge', body: { ward: 'ward-willow', of: 'concern-2' } },
      { path: 'acknowledge', body: { ward: 'ward-willow', of: 'emergency-1' } },
    ]);
    // Only the server's next board takes them away.
    expect(await desk.at(ids.concern('concern-2')).count()).toBe(1);
    desk.facility.say({ concerns: desk.facility.board.concerns.filter((one) => one.record !== 'concern-2') });
    await desk.at(ids.concern('concern-2')).waitFor({ state: 'detached' });
    // What that board still shows as open can be answered again.
    await expect.poll(() => desk.at(ids.ack('emergency-1')).isEnabled()).toBe(true);
  });

  test('a refused acknowledgement says why and can be tried again', async () => {
    await sit();
    await desk.board();
    const refusal = { code: 'role.not_allowed', what: 'Only a nurse may acknowledge this.', next: 'Call the nurse.' };
    desk.facility.refuseNext = { path: 'acknowledge', refusal, status: 403 };
    await desk.at(ids.ack('concern-1')).click();
    await expect
      .poll(() => desk.at(ids.refusal).textContent())
      .toContain('Only a nurse may acknowledge this. Call the nurse.');
    expect(await desk.at(ids.ack('concern-1')).isEnabled()).toBe(true);
  });

  test('a nurse verifies after reading what it says; who is no nurse has no button', async () => {
    await sit();
    await desk.board();
    await desk.at(ids.verify).click();
    expect(desk.facility.posts).toEqual([]);
    await desk.at(ids.verifySign).click();
    await desk.at(ids.verifySign).waitFor({ state: 'hidden' });
    expect(desk.facility.posts).toEqual([{ path: 'verify', body: { ward: 'ward-willow' } }]);
    desk.facility.session = { ...desk.facility.session, role: 'technician' };
    await desk.page.reload();
    await desk.at(ids.row('104A')).waitFor();
    expect(await desk.at(ids.verify).count()).toBe(0);
  });

  test('a row opens the patient by pointer and by keyboard, and back; no address names anybody', async () => {
    await sit();
    await desk.board();
    await desk.at(ids.row('104A')).click();
    await expect.poll(() => desk.at(ids.day).textContent()).toContain('Garcia, Mateo');
    expect(desk.page.url()).toBe(desk.facility.url);
    await desk.page.keyboard.press('Escape');
    await desk.at(ids.open('101B')).focus();
    await desk.page.keyboard.press('Enter');
    await expect.poll(() => desk.at(ids.day).textContent()).toContain('Bell, Tom');
    await desk.page.goBack();
    await desk.at(ids.row('101B')).waitFor();
  });

  test('the rows of a day stay in sight on a low page, whatever stands above them', async () => {
    await sit('small');
    await desk.board();
    await desk.at(ids.row('104A')).click();
    await desk.at(ids.dayRow(0)).waitFor();
    const rows = await desk.page.getByRole('region', { name: 'Entries of the day' }).boundingBox();
    expect(rows?.height).toBeGreaterThanOrEqual(160);
    expect(await desk.at(ids.dayRow(1)).evaluate((row) => row.getBoundingClientRect().bottom)).toBeLessThan(768);
  });

  test('a day says with its figures what is late, what nobody can prove, the tolerance and the remarks', async () => {
    await sit();
    await desk.board();
    await desk.at(ids.row('104A')).click();
    await desk.at(ids.dayRow(0)).waitFor();
    const figures = await desk.at(ids.day).locator('dl > div').allTextContents();
    expect(figures.slice(0, 3).map((one) => one.trim())).toEqual([
      'gaps within the limit 20 of 21',
      '▲ late 0',
      '◷ not provable 1',
    ]);
    const notes = desk.page.getByRole('list', { name: 'To be read with the figures' });
    expect(await notes.getByRole('listitem').allTextContents()).toEqual([
      'facility tolerance 1 min',
      'at 02:47 not seen for 17 min, past the limit',
      '1 gap is not provable: a clock was not certain',
    ]);
  });

  test('a patient goes to a bed of another ward, and what is to be known of it stays until it is read', async () => {
    await sit();
    await desk.board();
    desk.facility.notice = 'Somebody else is in 202 too, as the census has it.';
    await desk.at(ids.row('104A')).click();
    await desk.at(ids.census).click();
    await desk.at(ids.toWard).selectOption('ward-oak');
    expect(await desk.at(ids.move).isDisabled()).toBe(true);
    await desk.at(ids.toBed).selectOption('202');
    await desk.at(ids.move).click();
    await desk.page.getByRole('alert').getByText('Somebody else is in 202 too').waitFor();
    const stay = board().cards.find((card) => card.bed === '104A')?.stay;
    expect(desk.facility.posts.at(-1)).toEqual({
      path: 'place',
      body: { ward: 'ward-willow', stay, to: 'ward-oak', bed: '202' },
    });
  });

  test('a provisional stay is joined to a real one, and a join is taken back', async () => {
    await sit();
    const woman = { stay: 'provisional-1', bed: '199X', name: 'woman, about 30', provisional: true };
    const rows = calmCards();
    desk.facility.board = board([...rows.slice(1), { ...rows[0], ...woman } as (typeof rows)[number]]);
    await desk.board();
    await desk.at(ids.row('199X')).click();
    await desk.at(ids.census).click();
    await desk.at(ids.intoStay).selectOption('stay-104A');
    await desk.at(ids.join).click();
    await expect
      .poll(() => desk.facility.posts.at(-1))
      .toEqual({
        path: 'join',
        body: { ward: 'ward-willow', stay: 'provisional-1', into: 'stay-104A' },
      });
    desk.facility.joins = [{ record: 'join-1', words: '“woman, about 30”, joined 02:40 by S. Lindqvist' }];
    await desk.at(ids.dayBack).click();
    await desk.at(ids.row('104A')).click();
    await desk.at(ids.part('join-1')).click();
    await expect
      .poll(() => desk.facility.posts.at(-1))
      .toEqual({
        path: 'part',
        body: { ward: 'ward-willow', stay: 'stay-104A', of: 'join-1', reason: '' },
      });
  });

  test.each(['Pacific/Honolulu', 'America/Chicago', 'Asia/Tokyo'])(
    'another day is asked for by its date, with the browser in %s',
    async (timezoneId) => {
      await sit('wide', { timezoneId });
      await desk.board();
      await desk.at(ids.row('104A')).click();
      await desk.at(ids.dayRow(0)).waitFor();
      expect(await desk.at(ids.dayDate).inputValue()).toBe('2026-11-22');
      expect(desk.facility.dates).toEqual(['']);
      await desk.page.getByRole('button', { name: 'Day before' }).click();
      await expect.poll(() => desk.facility.dates).toEqual(['', '2026-11-21']);
    },
  );

  test('an invite is drawn from its squares only: a script in the picture does not run', async () => {
    await sit();
    await desk.board();
    await desk.at(ids.nav('join')).click();
    await desk.at(ids.makeInvite).click();
    await desk.at(ids.inviteQr).waitFor();
    expect(await desk.at(ids.inviteQr).locator('path').count()).toBe(1);
    expect(await desk.at(ids.inviteQr).locator('script').count()).toBe(0);
    expect(await desk.page.title()).not.toContain('ran');
    expect(await desk.at(ids.invite).inputValue()).toMatch(/^lamplight:/);
  });
});

describe('the board', () => {
  const beds = () => desk.page.locator('tbody th').allTextContents();

  test('shows 22 rows at 1440 x 900 with a concern and an emergency open, each inside the window', async () => {
    await sit();
    desk.facility.board = pressed();
    await desk.board();
    await desk.picture('board-pressed');
    const rows = await desk.page.locator('tbody tr').evaluateAll((all) => {
      const floor = Math.min(document.querySelector('.scroll')?.getBoundingClientRect().bottom ?? 0, innerHeight);
      return all.map((row) => {
        const { bottom, height } = row.getBoundingClientRect();
        return { inside: bottom <= floor + 1, tall: height >= 30, bed: row.querySelector('th')?.textContent };
      });
    });
    expect(rows).toHaveLength(22);
    expect(rows.filter((row) => !row.inside)).toEqual([]);
    // Two things that are the matter, and four precautions: a second line rather than lose one of them.
    expect(rows.filter((row) => row.tall).map((row) => row.bed)).toEqual(['104A', '109A']);
    await desk.at(ids.ack('emergency-1')).waitFor();
    await desk.at(ids.ack('concern-1')).waitFor();
  });

  test('cuts only what was seen, and says it whole under the pointer; a row opens there too', async () => {
    await sit();
    desk.facility.board = pressed();
    await desk.board();
    const cut = await desk.page.locator('tbody :is(th, td, td *)').evaluateAll((all) =>
      all
        .filter((one) => one instanceof HTMLElement && !one.matches('.spoken') && one.scrollWidth > one.clientWidth + 1)
        .filter((one) => getComputedStyle(one).display !== 'inline')
        .map((one) => one.className.replace(/ ?svelte-\w+/, '')),
    );
    expect(new Set(cut)).toEqual(new Set(['last']));
    const words = desk.at(ids.row('105B')).locator('.last');
    await words.hover();
    const whole = 'At the ED since 17:50 · J. Whitfield, technician of the float pool';
    expect((await words.getAttribute('title'))?.trim()).toBe(whole);
    // Nothing lies over the words that would keep their title from the pointer.
    const { x, y } = (await words.boundingBox()) ?? { x: 0, y: 0 };
    expect(
      await desk.page.evaluate(
        ([x, y]) => document.elementFromPoint(x, y)?.closest('[title]')?.getAttribute('title')?.trim(),
        [x + 5, y + 8] as const,
      ),
    ).toBe(whole);
    await words.click();
    await desk.at(ids.day).waitFor();
  });

  test('says a silent tablet loudly, and one in touch quietly', async () => {
    await sit();
    await desk.board();
    expect((await desk.at(ids.contact('W-3')).innerText()).replace(/\s+/g, ' ')).toContain(
      'Tablet W-3 offline since 02:05: its checks are not known yet',
    );
    expect(await desk.at(ids.contact('W-1')).innerText()).toContain('02:47');
    expect(await desk.at(ids.contact('W-0')).count()).toBe(0);
  });

  test('who is not known is told with where to look and with what was seen last', async () => {
    await sit();
    await desk.board();
    const row = (await desk.at(ids.row('105A')).innerText()).replace(/\s+/g, ' ');
    for (const words of ['no check known for 44 min', '02:03 Bedroom · breathing seen', 'may be on W-3: go and look'])
      expect(row).toContain(words);
  });

  test('nobody who holds the observations is an alarm in words', async () => {
    await sit();
    desk.facility.board = { ...board(), holder: null };
    await desk.board();
    expect(await desk.at(ids.holder).innerText()).toContain('Nobody holds the observations');
  });

  test('does not sort again under the pointer, and does once it has gone', async () => {
    await sit();
    await withClock();
    await desk.board();
    await desk.at(ids.order('urgent')).click();
    const first = await beds();
    await desk.at(ids.row('110A')).hover();
    const turned = desk.facility.board.cards.map((card) =>
      card.bed === '110A' ? { ...card, urgency: -1000, words: 'overdue 9 min' } : card,
    );
    desk.facility.say({ cards: turned, clock: '02:49' });
    await expect.poll(() => desk.at(ids.state('110A')).innerText()).toContain('overdue 9 min');
    expect(await beds()).toEqual(first);
    await desk.page.clock.runFor(21_000);
    desk.facility.say({ clock: '02:50' });
    await expect.poll(async () => (await beds())[0]).toBe('110A');
  });

  test('says who has become overdue to a screen reader, once', async () => {
    await sit();
    await desk.board();
    const turned = desk.facility.board.cards.map((card) =>
      card.bed === '101A' ? { ...card, state: 'overdue' as const, words: 'overdue 1 min' } : card,
    );
    desk.facility.say({ cards: turned });
    await expect.poll(() => desk.at(ids.spoken).textContent()).toBe('101A overdue 1 min');
    const later = turned.map((card) => (card.bed === '101A' ? { ...card, words: 'overdue 2 min' } : card));
    desk.facility.say({ cards: later, clock: '02:48' });
    await expect.poll(() => desk.at(ids.state('101A')).innerText()).toContain('overdue 2 min');
    expect(await desk.at(ids.spoken).textContent()).toBe('101A overdue 1 min');
  });

  test('hostile names and words are only ever words', async () => {
    await sit();
    const names = ['<img src=x onerror="document.title=1">', '\u202Eevil\u202D, \u2067Rtl', '=1+1', 'x'.repeat(300)];
    const cards = calmCards().map((card, n) => (names[n] === undefined ? card : { ...card, name: names[n] }));
    const base = board(cards);
    desk.facility.board = { ...base, concerns: base.concerns.map((one) => ({ ...one, words: names[0] ?? '' })) };
    await desk.board();
    for (const [n, name] of names.entries()) {
      expect(await desk.page.locator('tbody tr').nth(n).locator('.name bdi').textContent()).toBe(name);
    }
    expect(await desk.page.locator('img').count()).toBe(0);
    expect(await desk.page.title()).toBe('▲ 1 overdue ◌ 1 not known · Willow Ward');
    await desk.isSound();
  });
});

/** A loudspeaker that counts the tones which it is given, on a page that counts the boards which it takes in. */
async function withLoudspeaker(): Promise<() => Promise<number>> {
  await desk.page.addInitScript(() => {
    let started = 0;
    const node = () => ({ connect: (to: unknown) => to });
    const parameter = { value: 0, setValueAtTime: () => undefined, linearRampToValueAtTime: () => undefined };
    class Counting {
      state = 'suspended';
      currentTime = 0;
      destination = {};
      resume = () => {
        this.state = 'running';
        return Promise.resolve();
      };
      createGain = () => ({ ...node(), gain: parameter });
      createOscillator = () => ({
        ...node(),
        frequency: parameter,
        start: () => (started += 1),
        stop: () => undefined,
      });
    }
    let boards = 0;
    class Listening extends EventSource {
      constructor(url: string) {
        super(url);
        this.addEventListener('board', () => (boards += 1));
      }
    }
    Object.assign(window, {
      AudioContext: Counting,
      tones: () => started,
      EventSource: Listening,
      boards: () => boards,
    });
  });
  return () => desk.page.evaluate(() => (window as unknown as { tones: () => number }).tones());
}

/** Any key or click does. */
async function turnOn(): Promise<void> {
  await desk.page.keyboard.press('Shift');
  await desk.at(ids.soundOn).waitFor({ state: 'detached' });
}

/** Lets time pass while the server goes on saying the same, and the page hears it each time. */
async function passes(ms: number): Promise<void> {
  const boards = () => desk.page.evaluate(() => (window as unknown as { boards: () => number }).boards());
  for (let passed = 0; passed < ms; passed += 5_000) {
    const before = await boards();
    desk.facility.say({ now: desk.facility.board.now + 5_000 });
    await expect.poll(boards, { interval: 5, timeout: 15_000 }).toBeGreaterThan(before);
    await desk.page.clock.runFor(5_000);
  }
}

/** How many tones are heard in so long. */
async function heard(tones: () => Promise<number>, ms: number): Promise<number> {
  const before = await tones();
  await passes(ms);
  return (await tones()) - before;
}

describe('the sound', () => {
  test('is off until a click and says so; then the signal is heard again and again', async () => {
    await sit();
    await withClock();
    const tones = await withLoudspeaker();
    await desk.board();
    expect(await desk.at(ids.soundOn).innerText()).toContain('click to turn it on');
    expect(await heard(tones, 60_000)).toBe(0);
    await turnOn();
    expect(await heard(tones, 60_000)).toBeGreaterThanOrEqual(4);
  });

  test('is silenced by asking the server, and goes quiet only when its board says so', async () => {
    await sit();
    await withClock();
    const tones = await withLoudspeaker();
    await desk.board();
    await turnOn();
    await desk.at(ids.silence).click();
    await expect.poll(() => desk.facility.posts).toEqual([{ path: 'silence', body: { ward: 'ward-willow' } }]);
    expect(await heard(tones, 60_000)).toBeGreaterThanOrEqual(4);
    const { now, signal } = desk.facility.board;
    const silenced_by = 'Sound silenced 02:47 by S. Lindqvist until 02:49';
    desk.facility.say({ signal: { ...signal, silenced_until: now + 120_000, silenced_by } });
    await desk.at(ids.silenced).waitFor();
    expect(await heard(tones, 60_000)).toBe(0);
    expect(await desk.at(ids.row('104A')).getAttribute('class')).toContain('loud');
    for (const page of ['board', 'tablets', 'join'] as const) {
      await desk.at(ids.nav(page)).click();
      expect(await desk.at(ids.silencedBy).innerText()).toContain(silenced_by);
    }
    // Two minutes by the board's own time, also where the server has not taken the silence away yet.
    expect(await heard(tones, 100_000)).toBeGreaterThanOrEqual(2);
    await desk.at(ids.silence).waitFor();
  });

  test('goes on where silence is refused, and says why', async () => {
    await sit();
    await withClock();
    const tones = await withLoudspeaker();
    desk.facility.board = worst();
    await desk.board();
    await turnOn();
    const refusal = {
      code: 'signal.emergency',
      what: 'An emergency that nobody has answered cannot be silenced.',
      next: 'Go there, or send somebody, and acknowledge it.',
    };
    desk.facility.refuseNext = { path: 'silence', refusal, status: 400 };
    await desk.at(ids.silence).click();
    await expect.poll(() => desk.at(ids.refusal).textContent()).toContain('cannot be silenced');
    expect(await heard(tones, 30_000)).toBeGreaterThanOrEqual(30);
  });

  test('of a page that hears nothing comes whatever was silenced, and is silenced there alone', async () => {
    await sit();
    await withClock();
    const tones = await withLoudspeaker();
    const { now, signal } = desk.facility.board;
    desk.facility.board.signal = { ...signal, level: 'quiet', silenced_until: now + 600_000, silenced_by: 'x' };
    await desk.board();
    await turnOn();
    expect(await heard(tones, 30_000)).toBe(0);
    desk.facility.hangs = true;
    await desk.page.clock.runFor(17_000);
    await desk.at(ids.stale).waitFor();
    expect(await tones()).toBeGreaterThan(0);
    await desk.at(ids.silence).click();
    const before = await tones();
    await desk.page.clock.runFor(110_000);
    expect(await tones()).toBe(before);
    await desk.page.clock.runFor(30_000);
    expect(await tones()).toBeGreaterThan(before);
    expect(desk.facility.posts).toEqual([]);
  });

  test('goes on after a session that ended, also on a page loaded again, until somebody logs in', async () => {
    await sit();
    await withClock();
    const tones = await withLoudspeaker();
    await desk.board();
    await turnOn();
    desk.facility.loggedIn = false;
    desk.facility.cut();
    await expect
      .poll(
        async () => {
          await desk.page.clock.runFor(1_000);
          return desk.at(ids.loginName).count();
        },
        { timeout: 15_000 },
      )
      .toBe(1);
    expect(await desk.at(ids.stale).textContent()).toContain(
      'Nobody is logged in here since 02:47:10: this page does not know the ward.',
    );
    expect(await desk.page.content()).not.toContain('Garcia');
    const before = await tones();
    await desk.page.clock.runFor(60_000);
    expect(await tones()).toBeGreaterThan(before);
    await desk.picture('session-ended');
    await desk.isSound();
    await desk.page.reload();
    await desk.at(ids.loginName).click();
    expect(await desk.at(ids.stale).textContent()).toContain('since this page was opened');
    await desk.page.clock.runFor(30_000);
    expect(await tones()).toBeGreaterThan(0);
    await desk.at(ids.loginName).fill('s.lindqvist');
    await desk.at(ids.loginPassword).fill('amber-heron-42');
    desk.facility.board = { ...board(), signal: { ...board().signal, level: 'quiet' } };
    await desk.at(ids.loginSubmit).click();
    await desk.at(ids.row('104A')).waitFor();
    expect(await desk.at(ids.stale).count()).toBe(0);
    expect(await heard(tones, 60_000)).toBe(0);
  });

  test('ends with whoever logs out', async () => {
    await sit();
    await withClock();
    const tones = await withLoudspeaker();
    await desk.board();
    await turnOn();
    await desk.at(ids.logout).click();
    await desk.at(ids.loginName).waitFor();
    expect(await desk.at(ids.stale).count()).toBe(0);
    const before = await tones();
    await desk.page.clock.runFor(60_000);
    expect(await tones()).toBe(before);
  });

  test('goes on where whoever is logged in no longer belongs to the ward', async () => {
    await sit();
    await withClock();
    await desk.board();
    desk.facility.session = { ...desk.facility.session, wards: [] };
    await desk.page.route('**/station/api/live*', (route) => route.fulfill({ status: 403, body: '{}' }));
    desk.facility.cut();
    await expect
      .poll(
        async () => {
          await desk.page.clock.runFor(1_000);
          return desk.at(ids.stale).count();
        },
        { timeout: 15_000 },
      )
      .toBe(1);
    await desk.at(ids.loginName).waitFor();
    expect(await desk.at(ids.refusal).textContent()).toContain('not on the list of that ward');
    expect(await desk.page.content()).not.toContain('Garcia');
  });
});
