import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { ids } from '../src/tablet/testids';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
let browser: Browser;
let context: BrowserContext | undefined;

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
});
afterEach(async () => {
  await context?.close();
  context = undefined;
});
afterAll(() => browser.close());

async function open(query: string): Promise<Page> {
  context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto(`${inject('origin')}/tablet/index.html?${query}`);
  return page;
}
const at = (page: Page, id: string) => page.getByTestId(id);
const alive = (page: Page) => page.locator('body:not([data-dead])').waitFor();
const screen = (page: Page, name: string) => page.locator(`body[data-screen="${name}"]`).waitFor();
const head = (page: Page) => page.evaluate(() => (window as unknown as Fixture).fixture.calls());
type Call = { command: string; args: Record<string, unknown> };
type Fixture = {
  fixture: {
    setFull: (full: boolean) => void;
    calls: () => Call[];
    urgent: (bed: string) => void;
    hang: () => void;
    lock: () => void;
  };
};
const saves = async (page: Page) => (await head(page)).filter((one) => one.command === 'save').map((one) => one.args);

async function pad(page: Page, bed: string): Promise<void> {
  await at(page, ids.card(bed)).click();
  await at(page, ids.activity('calm')).waitFor();
}

describe('the check pad', () => {
  test('nothing is chosen, the second tap saves, and the board is back', async () => {
    const page = await open('as=technician');
    await pad(page, '104A');
    expect(await page.locator('[aria-pressed="true"]').count()).toBe(0);
    await at(page, ids.place('hallway')).click();
    expect(await saves(page)).toEqual([]);
    await at(page, ids.activity('pacing')).click();
    await screen(page, 'board');
    expect((await saves(page)).map((one) => one['entry'])).toEqual([
      { kind: 'check', place: 'hallway', activity: 'pacing', evidence: [] },
    ]);
    await page.locator(`[data-testid="${ids.card('104A')}"][data-state="ok"]`).waitFor();
    expect(await at(page, ids.toast).textContent()).toContain('Saved on this tablet');
  });

  test('what first, where second, is the same check', async () => {
    const page = await open('as=technician');
    await pad(page, '104A');
    await at(page, ids.activity('calm')).click();
    await at(page, ids.place('day_room')).click();
    await screen(page, 'board');
    expect((await saves(page)).map((one) => one['entry'])).toEqual([
      { kind: 'check', place: 'day_room', activity: 'calm', evidence: [] },
    ]);
  });

  test("only heard and can't tell are saved as what they are, never as a check", async () => {
    const page = await open('as=technician');
    await pad(page, '104A');
    await at(page, ids.place('bathroom_heard')).click();
    await screen(page, 'board');
    await alive(page);
    await pad(page, '104A');
    await at(page, ids.activity('cant_tell')).click();
    await at(page, ids.place('bedroom')).click();
    await screen(page, 'board');
    expect((await saves(page)).map((one) => one['entry'])).toEqual([
      { kind: 'heard', place: 'bathroom_heard' },
      { kind: 'cant_tell', place: 'bedroom' },
    ]);
  });

  test('a double tap is one entry, and its second half opens nobody else', async () => {
    const page = await open('as=technician');
    await pad(page, '104A');
    await at(page, ids.place('hallway')).click();
    const box = await at(page, ids.activity('calm')).boundingBox();
    if (box === null) throw new Error('no tile');
    await page.mouse.dblclick(box.x + 20, box.y + 20);
    await screen(page, 'board');
    const card = await at(page, ids.card('105A')).boundingBox();
    if (card === null) throw new Error('no card');
    await page.mouse.click(card.x + 20, card.y + 20);
    expect(await page.locator('body').getAttribute('data-screen')).toBe('board');
    expect(await saves(page)).toHaveLength(1);
    await alive(page);
    await page.mouse.click(card.x + 20, card.y + 20);
    await screen(page, 'pad');
  });

  test('shouting leads to a behaviour entry after the check is saved', async () => {
    const page = await open('as=technician');
    await pad(page, '107A');
    await at(page, ids.place('hallway')).click();
    await at(page, ids.activity('shouting')).click();
    await screen(page, 'behaviour');
    expect(await saves(page)).toHaveLength(1);
  });

  test('undo takes the check back by an amendment', async () => {
    const page = await open('as=technician');
    await pad(page, '104A');
    await at(page, ids.place('hallway')).click();
    await at(page, ids.activity('calm')).click();
    await screen(page, 'board');
    await alive(page);
    await at(page, ids.undo).click();
    await page.locator(`[data-testid="${ids.card('104A')}"][data-state="overdue"]`).waitFor();
    const amended = (await head(page)).find((one) => one.command === 'amend');
    expect(amended?.args).toMatchObject({ action: { do: 'retract' }, reason: 'undo' });
  });

  test('a full disk says NOT saved, keeps the entry, and saves it once there is room', async () => {
    const page = await open('as=technician&with=full');
    await pad(page, '104A');
    await at(page, ids.place('hallway')).click();
    await at(page, ids.activity('calm')).click();
    await at(page, ids.notSaved).waitFor();
    await at(page, ids.tryAgain).click();
    await page.locator(`[data-testid="${ids.tryAgain}"]:enabled`).waitFor();
    expect(await page.getByTestId(ids.toast).count()).toBe(0);
    await page.evaluate(() => {
      (window as unknown as Fixture).fixture.setFull(false);
    });
    await at(page, ids.tryAgain).click();
    await at(page, ids.toast).waitFor();
    await screen(page, 'board');
    const tried = (await saves(page)).map((one) => one['id']);
    expect(tried).toHaveLength(3);
    expect(new Set(tried).size).toBe(1);
  });

  test('with the keyboard alone: a card, two tiles, back on the card', async () => {
    const page = await open('as=technician');
    await at(page, ids.card('104A')).focus();
    await page.keyboard.press('Enter');
    await at(page, ids.place('hallway')).focus();
    await page.keyboard.press('Enter');
    await at(page, ids.activity('calm')).focus();
    await page.keyboard.press('Space');
    await screen(page, 'board');
    await page.waitForFunction((id) => document.activeElement?.getAttribute('data-testid') === id, ids.card('104A'));
    await alive(page);
    await page.keyboard.press('Enter');
    await screen(page, 'pad');
    await page.keyboard.press('Escape');
    await screen(page, 'board');
  });
});

describe('the board', () => {
  test('all 24 cards are in sight without scrolling, in both orientations', async () => {
    const page = await open('as=technician');
    for (const size of [
      { width: 1280, height: 800 },
      { width: 800, height: 1280 },
    ]) {
      await page.setViewportSize(size);
      await at(page, ids.card('112B')).waitFor();
      const below = await page.locator('[data-stay]').evaluateAll(
        (cards) =>
          cards.filter((card) => {
            const main = card.closest('main')?.getBoundingClientRect();
            const box = card.getBoundingClientRect();
            return !main || box.bottom > main.bottom + 1 || box.top < main.top - 1 || box.height < 48;
          }).length,
      );
      expect(below).toBe(0);
      expect(await page.locator('[data-stay]').count()).toBe(24);
    }
  });

  test('no state, bed or precaution is cut off', async () => {
    const page = await open('as=technician&with=band,draft');
    for (const size of [
      { width: 1280, height: 800 },
      { width: 800, height: 1280 },
    ]) {
      await page.setViewportSize(size);
      await at(page, ids.card('112B')).waitFor();
      const cut = await page
        .locator('[data-stay] .state .words, [data-stay] .bed, [data-stay] .precautions')
        .evaluateAll((parts) =>
          parts
            .filter((part) => {
              const card = part.closest('[data-stay]')?.getBoundingClientRect();
              const box = part.getBoundingClientRect();
              return (
                !card || part.scrollWidth > part.clientWidth + 1 || box.bottom > card.bottom || box.right > card.right
              );
            })
            .map((part) => part.textContent),
        );
      expect(cut).toEqual([]);
    }
  });

  test('where and when stand on every card, also below a band of concerns', async () => {
    const page = await open('as=technician&with=band');
    await at(page, ids.concern(0)).waitFor();
    const hidden = await page.locator('[data-stay] .low > .line').evaluateAll((lines) =>
      lines
        .filter((line) => {
          const card = line.closest('[data-stay]')?.getBoundingClientRect();
          const box = line.getBoundingClientRect();
          return !card || box.height < 10 || box.right > card.right || box.top < card.top;
        })
        .map((line) => line.textContent),
    );
    expect(hidden).toEqual([]);
  });

  test('does not re-sort under a finger, and does once it is gone', async () => {
    const page = await open('as=technician');
    await at(page, ids.order('urgent')).click();
    const order = () =>
      page.locator('[data-stay]').evaluateAll((cards) => cards.map((card) => card.getAttribute('data-stay')));
    const before = await order();
    await page.mouse.move(640, 400);
    await page.mouse.down();
    await page.evaluate(() => {
      (window as unknown as Fixture).fixture.urgent('101A');
    });
    await page.locator(`[data-testid="${ids.card('101A')}"][data-state="overdue"]`).waitFor();
    expect(await order()).toEqual(before);
    await page.mouse.move(1270, 790);
    await page.mouse.up();
    await page.waitForFunction(() => document.querySelector('[data-stay]')?.getAttribute('data-stay') === 'stay-101A');
  });
});

describe('entries', () => {
  test('a half-made entry outlives a lock and is offered again, not filled in', async () => {
    const page = await open('as=technician');
    await pad(page, '107A');
    await at(page, ids.addMood).click();
    await at(page, ids.mood(3)).click();
    await at(page, ids.words).fill('“nobody tells me anything”');
    await at(page, ids.close).click();
    await screen(page, 'pad');
    await at(page, ids.close).click();
    await at(page, ids.lock).click();
    await screen(page, 'locked');
    await at(page, ids.person('Maya', '')).click();
    await page.keyboard.type('246810');
    await screen(page, 'board');
    await pad(page, '107A');
    await at(page, ids.addMood).click();
    await at(page, ids.draft).waitFor();
    expect(await at(page, ids.words).inputValue()).toBe('');
    await at(page, ids.draftContinue).click();
    expect(await at(page, ids.words).inputValue()).toBe('“nobody tells me anything”');
    await at(page, ids.save).click();
    await screen(page, 'pad');
    expect((await saves(page)).map((one) => one['entry'])).toEqual([
      {
        kind: 'mood',
        mood: { source: 'patient', score: 3, affect: [], words: '“nobody tells me anything”', harm: null },
      },
    ]);
    expect(await page.getByTestId(ids.draft).count()).toBe(0);
  });

  test('talk of harm leads to the concern, which stays on top of the board', async () => {
    const page = await open('as=technician');
    await pad(page, '107A');
    await at(page, ids.addMood).click();
    await at(page, ids.moodSource('declined_to_say')).click();
    await at(page, ids.harm('yes')).click();
    await at(page, ids.save).click();
    await screen(page, 'concern');
    await alive(page);
    await at(page, ids.words).fill('wants to be dead');
    await at(page, ids.save).click();
    await screen(page, 'pad');
    await alive(page);
    await at(page, ids.close).click();
    await at(page, ids.concern(0)).waitFor();
  });
});

describe('a locked tablet', () => {
  test('shows no patient name and no surname anywhere in the page', async () => {
    const page = await open('');
    await at(page, ids.lockedOverdue).waitFor();
    const text = await page.content();
    for (const name of ['Garcia', 'Abara', 'Okafor', 'Lindqvist']) expect(text).not.toContain(name);
  });

  test('after a lock nothing of the ward stays in the page, and nobody is chosen', async () => {
    const page = await open('as=technician');
    await at(page, ids.card('104A')).waitFor();
    await at(page, ids.lock).click();
    await screen(page, 'locked');
    await at(page, ids.lockedOverdue).waitFor();
    const text = await page.content();
    for (const name of ['Garcia', 'Abara', 'Okafor']) expect(text).not.toContain(name);
    expect(await page.locator('[aria-pressed="true"]').count()).toBe(0);
  });

  test('says what is wrong with a PIN, and takes the right one', async () => {
    const page = await open('');
    await at(page, ids.person('Maya', '')).click();
    for (const digit of [1, 1, 1, 1, 1, 1]) await at(page, ids.pin(digit)).click();
    await page.locator(`[data-testid="${ids.pinMessage}"][data-code="pin.wrong"]`).waitFor();
    for (const digit of [2, 4, 6, 8, 1, 0]) await at(page, ids.pin(digit)).click();
    await screen(page, 'board');
  });

  test('help is one tap, names nobody, and is honest', async () => {
    const page = await open('');
    await at(page, ids.notFound).click();
    await at(page, ids.told).waitFor();
    expect(await at(page, ids.told).textContent()).toContain('told nobody');
    const raised = (await head(page)).filter((one) => one.command === 'raise');
    expect(raised.map((one) => one.args)).toEqual([{ what: 'not_found', stay: null, place: '' }]);
  });
});

test('a screen that gets no answer says so and greys, and never looks current', async () => {
  const page = await open('as=technician');
  await at(page, ids.card('104A')).waitFor();
  await page.evaluate(() => {
    (window as unknown as Fixture).fixture.hang();
  });
  await at(page, ids.notUpdated).waitFor();
  expect(await at(page, ids.notUpdated).textContent()).toContain('02:47');
  expect(await at(page, ids.board).getAttribute('class')).toContain('stale');
});

test('what was not saved outlives a lock by the program, for its own person only', async () => {
  const page = await open('as=technician&with=full');
  await pad(page, '104A');
  await at(page, ids.place('hallway')).click();
  await at(page, ids.activity('calm')).click();
  await at(page, ids.notSaved).waitFor();
  await page.evaluate(() => {
    (window as unknown as Fixture).fixture.lock();
    (window as unknown as Fixture).fixture.setFull(false);
  });
  await screen(page, 'locked');
  expect(await page.getByTestId(ids.notSaved).count()).toBe(0);
  await at(page, ids.person('Sara', '')).click();
  await page.keyboard.type('246810');
  await screen(page, 'board');
  expect(await page.getByTestId(ids.notSaved).count()).toBe(0);
  await at(page, ids.lock).click();
  await screen(page, 'locked');
  await at(page, ids.person('Maya', '')).click();
  await page.keyboard.type('246810');
  await at(page, ids.tryAgain).click();
  await page.locator(`[data-testid="${ids.card('104A')}"][data-state="ok"]`).waitFor();
});

test('an emergency of a patient ends with the check that found them', async () => {
  const page = await open('as=technician');
  await pad(page, '104A');
  await at(page, ids.notFound).click();
  await at(page, ids.told).waitFor();
  await alive(page);
  await at(page, ids.whoCame).click();
  await at(page, ids.person('Sara', '')).click();
  await page.locator(`[data-testid="${ids.told}"]`, { hasText: 'has answered' }).waitFor();
  await alive(page);
  await at(page, ids.found).click();
  await at(page, ids.place('hallway')).click();
  await at(page, ids.activity('calm')).click();
  await screen(page, 'board');
  await page.waitForFunction(() =>
    (window as unknown as Fixture).fixture.calls().some((one) => one.command === 'end_emergency'),
  );
  expect(await saves(page)).toHaveLength(1);
});

test('a late entry carries its own time', async () => {
  const page = await open('as=technician');
  await pad(page, '104A');
  await at(page, ids.openDay).click();
  await at(page, ids.lateEntry).click();
  await at(page, 'late-hour').selectOption('01:00');
  await at(page, 'late-minute').fill('37');
  await at(page, ids.place('hallway')).click();
  await at(page, ids.activity('calm')).click();
  await at(page, ids.save).click();
  await at(page, ids.toast).waitFor();
  const [saved] = await saves(page);
  expect(saved?.['observed_at']).toBe(Date.UTC(2026, 10, 22, 6, 37));
});
