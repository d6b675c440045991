import AxeBuilder from '@axe-core/playwright';
import { mkdirSync } from 'node:fs';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { ids } from '../src/tablet/testids';

/** The system's own browser; nothing is downloaded. */
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
/** With a folder here, every screen leaves a picture in it. */
const PICTURES = process.env['LAMPLIGHT_PICTURES'];

const SIZES = { landscape: { width: 1280, height: 800 }, portrait: { width: 800, height: 1280 } };
const THEMES = ['night', 'day'] as const;

let browser: Browser;
let context: BrowserContext | undefined;

beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
  if (PICTURES) mkdirSync(PICTURES, { recursive: true });
});
afterEach(async () => {
  await context?.close();
  context = undefined;
});
afterAll(() => browser.close());

const at = (page: Page, id: string) => page.getByTestId(id);
const errors: string[] = [];

async function open(query: string, size: { width: number; height: number } = SIZES.landscape): Promise<Page> {
  context = await browser.newContext({ viewport: size, reducedMotion: 'reduce' });
  const page = await context.newPage();
  errors.length = 0;
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico')) errors.push(message.text());
  });
  await page.goto(`${inject('origin')}/tablet/index.html?${query}`);
  return page;
}

const alive = (page: Page) => page.locator('body:not([data-dead])').waitFor();
const toPad = async (page: Page, bed: string) => {
  await at(page, ids.card(bed)).click();
  await at(page, ids.activity('calm')).waitFor();
};

type Screen = { name: string; query: string; reach: (page: Page) => Promise<void> };
const SCREENS: Screen[] = [
  { name: 'join', query: 'with=unjoined', reach: (page) => at(page, ids.joinSubmit).waitFor() },
  {
    name: 'join-refused',
    query: 'with=unjoined',
    reach: async (page) => {
      await at(page, ids.joinInvite).fill('hello');
      await at(page, ids.joinSubmit).click();
      await at(page, ids.refusal).waitFor();
    },
  },
  {
    name: 'locked',
    query: '',
    reach: async (page) => {
      await at(page, ids.person('Maya', '')).click();
      for (const digit of [2, 4, 6]) await at(page, ids.pin(digit)).click();
    },
  },
  {
    name: 'locked-others',
    query: '',
    reach: (page) => at(page, ids.personOther).click(),
  },
  {
    name: 'locked-wrong-pin',
    query: '',
    reach: async (page) => {
      await at(page, ids.person('Maya', '')).click();
      await page.keyboard.type('111111');
      await page.locator('[data-code="pin.wrong"]').waitFor();
    },
  },
  { name: 'board', query: 'as=technician', reach: (page) => at(page, ids.card('104A')).waitFor() },
  { name: 'board-quiet', query: 'as=nurse&with=quiet', reach: (page) => at(page, ids.card('104A')).waitFor() },
  {
    name: 'board-place',
    query: 'as=technician',
    reach: (page) => at(page, ids.order('place')).click(),
  },
  {
    name: 'board-urgent',
    query: 'as=technician&with=trouble',
    reach: (page) => at(page, ids.order('urgent')).click(),
  },
  { name: 'board-band', query: 'as=nurse&with=band,draft', reach: (page) => at(page, ids.draft).waitFor() },
  {
    name: 'board-toast',
    query: 'as=technician',
    reach: async (page) => {
      await toPad(page, '102A');
      await at(page, ids.place('bedroom')).click();
      await at(page, ids.activity('eyes_closed')).click();
      await at(page, ids.toast).waitFor();
      await alive(page);
    },
  },
  {
    name: 'pad',
    query: 'as=technician',
    reach: async (page) => {
      await toPad(page, '104A');
      await at(page, ids.place('hallway')).click();
    },
  },
  { name: 'pad-level', query: 'as=technician', reach: (page) => toPad(page, '107A') },
  { name: 'pad-unwatched', query: 'as=technician', reach: (page) => toPad(page, '111A') },
  {
    name: 'pad-not-saved',
    query: 'as=technician&with=full',
    reach: async (page) => {
      await toPad(page, '104A');
      await at(page, ids.place('hallway')).click();
      await at(page, ids.activity('pacing')).click();
      await at(page, ids.notSaved).waitFor();
    },
  },
  ...(
    [
      ['mood', ids.addMood, ids.mood(2)],
      ['behaviour', ids.addBehaviour, ids.behaviour('shouting')],
      ['note', ids.addNote, ids.words],
      ['concern', ids.addConcern, ids.words],
      ['not-done', ids.notDone, ids.reason('on_a_')],
    ] as const
  ).map(([name, button, first]) => ({
    name,
    query: 'as=technician',
    reach: async (page: Page) => {
      await toPad(page, '107A');
      await at(page, button).click();
      await at(page, first).click();
    },
  })),
  {
    name: 'behaviour-draft',
    query: 'as=technician&with=draft',
    reach: async (page) => {
      await toPad(page, '107A');
      await at(page, ids.addBehaviour).click();
      await at(page, ids.draft).waitFor();
    },
  },
  {
    name: 'emergency',
    query: 'as=technician',
    reach: async (page) => {
      await toPad(page, '104A');
      await at(page, ids.notFound).click();
      await at(page, ids.told).waitFor();
      await alive(page);
    },
  },
  {
    name: 'emergency-who-came',
    query: 'as=technician',
    reach: async (page) => {
      await at(page, ids.needHelp).click();
      await at(page, ids.told).waitFor();
      await alive(page);
      await at(page, ids.whoCame).click();
      await at(page, ids.person('Sara', '')).waitFor();
    },
  },
  {
    name: 'emergency-locked',
    query: '',
    reach: async (page) => {
      await at(page, ids.needHelp).click();
      await at(page, ids.told).waitFor();
      await alive(page);
    },
  },
  {
    name: 'day',
    query: 'as=technician',
    reach: async (page) => {
      await toPad(page, '104A');
      await at(page, ids.openDay).click();
      await at(page, ids.dayRow(0)).waitFor();
    },
  },
  {
    name: 'day-amend',
    query: 'as=technician',
    reach: async (page) => {
      await toPad(page, '104A');
      await at(page, ids.openDay).click();
      await at(page, ids.amend).nth(3).click();
      await at(page, 'how-wrong_patient').click();
    },
  },
  {
    name: 'day-late-entry',
    query: 'as=technician',
    reach: async (page) => {
      await toPad(page, '104A');
      await at(page, ids.openDay).click();
      await at(page, ids.lateEntry).click();
      await at(page, ids.place('hallway')).waitFor();
    },
  },
  { name: 'take-over', query: 'as=nurse', reach: (page) => at(page, ids.takeOver).click() },
  { name: 'status', query: 'as=technician&with=trouble', reach: (page) => at(page, ids.statusStrip).click() },
];

const CASES = SCREENS.flatMap((screen) =>
  THEMES.flatMap((theme) =>
    (Object.keys(SIZES) as (keyof typeof SIZES)[]).map((size) => ({
      title: `${screen.name} ${theme} ${size}`,
      screen,
      theme,
      size,
    })),
  ),
);

describe('every screen', () => {
  test.each(CASES)(
    '$title: no serious finding, big targets, nothing refused by the policy',
    async ({ screen, theme, size }) => {
      const page = await open(`${screen.query}&theme=${theme}`, SIZES[size]);
      await screen.reach(page);
      if (PICTURES) await page.screenshot({ path: `${PICTURES}/${screen.name}-${theme}-${size}.png` });
      const found = await new AxeBuilder({ page }).analyze();
      const serious = found.violations
        .filter((one) => one.impact === 'serious' || one.impact === 'critical')
        .map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(', ')}`);
      expect(serious).toEqual([]);
      expect(await smallTargets(page)).toEqual([]);
      expect(await crowded(page)).toEqual([]);
      expect(errors).toEqual([]);
    },
  );
});

/** Buttons and fields in sight that are lower or narrower than 48 px. */
function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const inFront = document.querySelector('dialog[open]') ?? document.body;
    return [...inFront.querySelectorAll('button, input, textarea, select')]
      .map((one) => ({ one, box: one.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0 && (box.width < 47.5 || box.height < 47.5))
      .map(
        ({ one, box }) => `${one.textContent ?? ''} ${String(Math.round(box.width))}x${String(Math.round(box.height))}`,
      );
  });
}

/** Pairs of buttons in sight that are nearer to each other than 8 px. */
function crowded(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const inFront = document.querySelector('dialog[open]') ?? document.body;
    // What is scrolled out of its own box cannot be hit.
    const hidden = (one: Element): boolean => {
      const box = one.getBoundingClientRect();
      for (let around = one.parentElement; around !== null; around = around.parentElement) {
        if (!/auto|scroll/.test(getComputedStyle(around).overflowY)) continue;
        const { top, bottom } = around.getBoundingClientRect();
        if (box.bottom > bottom + 1 || box.top < top - 1) return true;
      }
      return false;
    };
    const seen = [...inFront.querySelectorAll('button, input, textarea, select')]
      .filter((one) => !hidden(one))
      .map((one) => ({ words: (one.textContent || one.tagName).trim(), box: one.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0 && box.top < innerHeight && box.bottom > 0);
    const apart = (a: DOMRect, b: DOMRect) =>
      Math.max(b.left - a.right, a.left - b.right, b.top - a.bottom, a.top - b.bottom);
    return seen.flatMap(({ words, box }, n) =>
      seen
        .slice(n + 1)
        .filter((other) => apart(box, other.box) < 7.5)
        .map((other) => `${words} | ${other.words} ${apart(box, other.box).toFixed(1)}`),
    );
  });
}
