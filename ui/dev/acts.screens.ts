import { describe, expect, test } from 'vitest';
import { ids } from '../src/tablet/testids';
import { alive, asked, at, open, pad, program, saves, screen, SIZES, withBrowser } from './hand';

withBrowser();

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
    const amended = (await asked(page, 'amend'))[0];
    expect(amended).toMatchObject({ action: { do: 'retract' }, reason: 'undo' });
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

  test('nothing that a card says is cut off, whatever it has to say, in every order and with a band above', async () => {
    for (const query of ['as=technician&with=band,draft', 'as=technician&with=band,draft,worst']) {
      const page = await open(query);
      for (const size of Object.values(SIZES)) {
        await page.setViewportSize(size);
        for (const order of ['walking', 'place', 'urgent']) {
          await at(page, ids.order(order)).click();
          await at(page, ids.card('112B')).waitFor();
          const cut = await page.evaluate(() => {
            const said = '.state .words, .bed, .precautions, .mark, .where, .is-next';
            return [...document.querySelectorAll(said)]
              .filter((part) => part.closest('[data-stay]'))
              .filter((part) => {
                const card = part.closest('[data-stay]')?.getBoundingClientRect();
                const foot = part.closest('[data-stay]')?.querySelector('.foot')?.getBoundingClientRect();
                const box = part.getBoundingClientRect();
                if (!card || !foot || (part.scrollWidth > part.clientWidth + 1 && part.clientWidth > 0)) return true;
                const inFoot = part.closest('.foot') !== null;
                return (
                  (box.height < 10 && part.textContent?.trim() !== '') ||
                  box.right > card.right ||
                  box.bottom > (inFoot ? card.bottom : foot.top + 2)
                );
              })
              .map((part) => `${part.className} ${part.textContent ?? ''}`);
          });
          expect(cut, `${query} ${order} ${String(size.width)}`).toEqual([]);
        }
      }
      await page.context().close();
    }
  });

  test('where and when are read on every ground, in both themes', async () => {
    for (const theme of ['night', 'day']) {
      const page = await open(`as=technician&theme=${theme}`);
      await at(page, ids.card('104A')).waitFor();
      const low = await page.evaluate(() => {
        const light = (colour: string) => {
          const [r = 0, g = 0, b = 0] = (colour.match(/[\d.]+/g) ?? [])
            .map((c) => Number(c) / 255)
            .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        return [...document.querySelectorAll('[data-stay] :is(.where, .mark, .aside, .is-next)')]
          .map((part) => {
            const card = part.closest('[data-stay]') ?? part;
            const [a, b] = [light(getComputedStyle(part).color), light(getComputedStyle(card).backgroundColor)];
            return { part, ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) };
          })
          .filter(({ ratio }) => ratio < 7)
          .map(({ part, ratio }) => `${part.textContent ?? ''} ${ratio.toFixed(1)}`);
      });
      expect(low, theme).toEqual([]);
      await page.context().close();
    }
  });

  test('what comes above the cards waits for the finger', async () => {
    const page = await open('as=technician');
    await at(page, ids.card('104A')).waitFor();
    await page.mouse.move(640, 400);
    await page.mouse.down();
    await program(page, 'concern', '101A');
    await program(page, 'urgent', '101A');
    await page.locator(`[data-testid="${ids.card('101A')}"][data-state="overdue"]`).waitFor();
    expect(await page.getByTestId(ids.concern(0)).count()).toBe(0);
    await page.mouse.move(1270, 790);
    await page.mouse.up();
    await at(page, ids.concern(0)).waitFor();
  });

  test('does not re-sort under a finger, and does once it is gone', async () => {
    const page = await open('as=technician');
    await at(page, ids.order('urgent')).click();
    const order = () =>
      page.locator('[data-stay]').evaluateAll((cards) => cards.map((card) => card.getAttribute('data-stay')));
    const before = await order();
    await page.mouse.move(640, 400);
    await page.mouse.down();
    await program(page, 'urgent', '101A');
    await page.locator(`[data-testid="${ids.card('101A')}"][data-state="overdue"]`).waitFor();
    expect(await order()).toEqual(before);
    await page.mouse.move(1270, 790);
    await page.mouse.up();
    await page.waitForFunction(() => document.querySelector('[data-stay]')?.getAttribute('data-stay') === 'stay-101A');
  });

  test("the facility's tolerance is said on the board and with the figures of a day", async () => {
    const page = await open('as=technician');
    await at(page, ids.tolerance).getByText('facility tolerance 1 min').waitFor();
    await pad(page, '104A');
    await at(page, ids.openDay).click();
    const notes = page.getByRole('list', { name: 'To be read with the figures' });
    expect(await notes.getByRole('listitem').allTextContents()).toEqual([
      'facility tolerance 1 min',
      'at 02:47 not seen for 17 min, past the limit',
      '1 gap is not provable: a clock was not certain',
    ]);
    const figures = await page.locator('dl > div').evaluateAll((all) => all.map((one) => one.textContent?.trim()));
    expect(figures.slice(0, 3)).toEqual(['gaps within the limit 172 of 174', '▲ late 1', '◷ not provable 1']);
    await page.context().close();
    const quiet = await open('as=technician&with=quiet');
    await at(quiet, ids.card('104A')).waitFor();
    expect(await quiet.getByTestId(ids.tolerance).count()).toBe(0);
  });

  test('a holder for too long is said beside the holder, and is no alarm here', async () => {
    const page = await open('as=technician&with=quiet,long');
    await at(page, ids.holder).getByText('too long').waitFor();
    expect(await page.getByTestId(ids.silence).count()).toBe(0);
    await page.locator('[aria-live="polite"]').getByText('observations held for over 2 hours').waitFor();
    expect(await page.locator('[aria-live="assertive"]').textContent()).toBe('');
    const [said, alarm] = await page.evaluate(() => {
      const long = document.querySelector('[data-testid="holder"] .long');
      const over = document.createElement('i');
      over.style.color = 'var(--over)';
      document.body.append(over);
      return [long, over].map((one) => one && getComputedStyle(one).color);
    });
    expect(said).not.toBe(alarm);
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
    expect(await page.getByTestId(ids.draft).count()).toBe(0);
  });

  test('a concern that talk of harm has promised cannot be forgotten: the board says that nobody was told', async () => {
    const page = await open('as=technician');
    await pad(page, '107A');
    await at(page, ids.addMood).click();
    await at(page, ids.moodSource('declined_to_say')).click();
    await at(page, ids.harm('yes')).click();
    await at(page, ids.save).click();
    await screen(page, 'concern');
    await alive(page);
    await at(page, ids.close).getByText('The nurse has not been told', { exact: false }).click();
    await screen(page, 'pad');
    await at(page, ids.close).click();
    await at(page, ids.draft).getByText('the nurse has not been told').waitFor();
    await at(page, ids.draftContinue).click();
    await screen(page, 'concern');
  });

  test('similar names are marked where they are written about', async () => {
    const page = await open('as=technician');
    await pad(page, '104B');
    for (const way of [ids.addNote, ids.openDay]) {
      await at(page, way).click();
      await page.getByText('has a name like this one').waitFor();
      await at(page, ids.close).click();
      await screen(page, 'pad');
    }
  });

  test('a pad shows where to look for whom nobody knows, and only a person who is with the patient can leave', async () => {
    const page = await open('as=technician');
    await pad(page, '105A');
    await page.getByText('may be on W-3: go and look').waitFor();
    await at(page, ids.close).click();
    await pad(page, '103A');
    await at(page, ids.startWatch).waitFor();
    expect(await page.getByTestId(ids.endWatch).count()).toBe(0);
    await at(page, ids.startWatch).click();
    await at(page, ids.endWatch).waitFor();
  });

  test('a count that differs from the census is said, and stays until it is read', async () => {
    const page = await open('as=nurse');
    await at(page, ids.takeOver).click();
    await at(page, ids.censusCount).fill('23');
    await at(page, ids.takeOverConfirm).click();
    await at(page, ids.censusDiffers).getByText('You counted 23').waitFor();
  });

  test('somebody whom the census does not have is put on the board with words and a bed, and a check is due', async () => {
    const page = await open('as=technician');
    await at(page, ids.takeUp).click();
    await at(page, ids.takeUpConfirm).waitFor();
    expect(await page.getByRole('dialog').locator('[aria-pressed="true"]').count()).toBe(0);
    expect(await at(page, ids.takeUpConfirm).isDisabled()).toBe(true);
    await at(page, ids.knownAs).fill('woman, about 30');
    await at(page, ids.bed('')).click();
    await at(page, ids.takeUpConfirm).click();
    const card = at(page, ids.card('no bed'));
    await card.getByText('provisional, Q15 until ordered').waitFor();
    expect(await card.getAttribute('data-state')).toBe('due');
    expect(await at(page, ids.toast).textContent()).toContain('Put on this board');
  });
});
