import AxeBuilder from '@axe-core/playwright';
import { mkdirSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { ids } from '../src/tablet/testids';
import { alive, at, open, pad, program, SIZES, withBrowser } from './hand';

/** With a folder here, every screen leaves a picture in it. */
const PICTURES = process.env['LAMPLIGHT_PICTURES'];

const THEMES = ['night', 'day'] as const;

withBrowser();
beforeAll(() => {
  if (PICTURES) mkdirSync(PICTURES, { recursive: true });
});

const errors: string[] = [];

async function openWatched(query: string, size: { width: number; height: number }): Promise<Page> {
  errors.length = 0;
  return open(query, size, (page) => {
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico')) errors.push(message.text());
    });
  });
}

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
  { name: 'board-long', query: 'as=nurse&with=quiet,long', reach: (page) => at(page, ids.card('104A')).waitFor() },
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
      await pad(page, '102A');
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
      await pad(page, '104A');
      await at(page, ids.place('hallway')).click();
    },
  },
  {
    name: 'pad-found',
    query: 'as=technician',
    reach: async (page) => {
      await pad(page, '104A');
      await at(page, ids.notBreathing).click();
      await at(page, ids.told).waitFor();
      await alive(page);
      await at(page, ids.found).click();
      await at(page, ids.activity('calm')).waitFor();
    },
  },
  { name: 'pad-level', query: 'as=technician', reach: (page) => pad(page, '107A') },
  { name: 'pad-unwatched', query: 'as=technician', reach: (page) => pad(page, '111A') },
  {
    name: 'pad-not-saved',
    query: 'as=technician&with=full',
    reach: async (page) => {
      await pad(page, '104A');
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
      await pad(page, '107A');
      await at(page, button).click();
      await at(page, first).click();
    },
  })),
  {
    name: 'behaviour-draft',
    query: 'as=technician&with=draft',
    reach: async (page) => {
      await pad(page, '107A');
      await at(page, ids.addBehaviour).click();
      await at(page, ids.draft).waitFor();
    },
  },
  {
    name: 'behaviour-after-check',
    query: 'as=technician',
    reach: async (page) => {
      await pad(page, '107A');
      await at(page, ids.place('hallway')).click();
      await at(page, ids.activity('shouting')).click();
      await at(page, ids.behaviour('shouting')).click();
      await at(page, ids.words).waitFor();
    },
  },
  {
    name: 'behaviour-resumed',
    query: 'as=technician&with=draft',
    reach: async (page) => {
      await at(page, ids.draftContinue).click();
      await at(page, ids.seenOther).click();
      await at(page, 'late-minute').waitFor();
    },
  },
  {
    name: 'emergency-not-recorded',
    query: 'as=technician&with=full',
    reach: async (page) => {
      await pad(page, '104A');
      await at(page, ids.notBreathing).click();
      await at(page, ids.told).waitFor();
      await alive(page);
    },
  },
  {
    name: 'emergency-which-patient',
    query: 'as=technician',
    reach: async (page) => {
      await at(page, ids.notFound).click();
      await at(page, ids.told).waitFor();
      await alive(page);
      await at(page, 'which-patient').click();
    },
  },
  {
    name: 'emergency',
    query: 'as=technician',
    reach: async (page) => {
      await pad(page, '104A');
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
      await pad(page, '104A');
      await at(page, ids.openDay).click();
      await at(page, ids.dayRow(0)).waitFor();
    },
  },
  {
    name: 'day-amend',
    query: 'as=technician',
    reach: async (page) => {
      await pad(page, '104A');
      await at(page, ids.openDay).click();
      await at(page, ids.amend).nth(3).click();
      await at(page, 'how-wrong_patient').click();
    },
  },
  {
    name: 'day-late-entry',
    query: 'as=technician',
    reach: async (page) => {
      await pad(page, '104A');
      await at(page, ids.openDay).click();
      await at(page, ids.lateEntry).click();
      await at(page, ids.place('hallway')).waitFor();
    },
  },
  {
    name: 'board-worst',
    query: 'as=nurse&with=band,draft,worst',
    reach: (page) => at(page, ids.order('place')).click(),
  },
  {
    name: 'locked-no-answer',
    query: '',
    reach: async (page) => {
      await at(page, ids.lockedOverdue).waitFor();
      await program(page, 'refuse', 'locked');
      await at(page, ids.refusal).waitFor();
    },
  },
  {
    name: 'locked-out',
    query: 'with=locked-out,guest',
    reach: async (page) => {
      await at(page, ids.person('Maya', '')).click();
      await page.keyboard.type('246810');
      await page.locator('[data-code="pin.locked_out"]').waitFor();
    },
  },
  {
    name: 'locked-ending',
    query: 'with=ending',
    reach: (page) => at(page, ids.refusal).waitFor(),
  },
  { name: 'board-ending', query: 'as=technician&with=ending', reach: (page) => at(page, ids.card('104A')).waitFor() },
  { name: 'board-ended', query: 'as=technician&with=ended', reach: (page) => at(page, ids.card('104A')).waitFor() },
  {
    name: 'status-charge-nurse',
    query: 'as=nurse&with=ending',
    reach: async (page) => {
      await at(page, ids.statusStrip).click();
      await at(page, ids.people).waitFor();
    },
  },
  {
    name: 'people',
    query: 'as=nurse&with=locked-out,guest',
    reach: async (page) => {
      await at(page, ids.statusStrip).click();
      await at(page, ids.people).click();
      await at(page, ids.giveAccess).waitFor();
    },
  },
  {
    name: 'give-access',
    query: 'as=nurse',
    reach: async (page) => {
      await at(page, ids.statusStrip).click();
      await at(page, ids.people).click();
      await at(page, ids.giveAccess).click();
      for (const [field, words] of [
        ['given', 'Eva'],
        ['family', 'Novak'],
        ['number', 'Agency Northstaff 118'],
      ] as const)
        await at(page, ids.guestField(field)).fill(words);
      await at(page, ids.hours(8)).click();
      await at(page, ids.newPin).fill('351806');
      await at(page, ids.newPinAgain).fill('351807');
      await at(page, ids.pinsDiffer).waitFor();
    },
  },
  {
    name: 'emergency-unsigned',
    query: 'as=technician&with=unsigned',
    reach: async (page) => {
      await at(page, ids.emergency(0)).click();
      await at(page, ids.claim).waitFor();
    },
  },
  { name: 'take-over', query: 'as=nurse', reach: (page) => at(page, ids.takeOver).click() },
  { name: 'take-up', query: 'as=technician', reach: (page) => at(page, ids.takeUp).click() },
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
      const page = await openWatched(`${screen.query}&theme=${theme}`, SIZES[size]);
      await screen.reach(page);
      // The ring of the keyboard's focus is no part of a picture.
      if (PICTURES) await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
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
