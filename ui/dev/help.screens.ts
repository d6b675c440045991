import { describe, expect, test } from 'vitest';
import { ids } from '../src/tablet/testids';
import { alive, asked, at, open, pad, program, saves, screen, signIn, withBrowser } from './hand';

withBrowser();

describe('a locked tablet', () => {
  test('has all four calls for help, one tap each', async () => {
    const page = await open('');
    for (const [id, what] of [
      [ids.needHelp, 'need_help'],
      [ids.notFound, 'not_found'],
      [ids.notBreathing, 'not_breathing'],
      [ids.danger, 'danger'],
    ] as const) {
      await at(page, id).click();
      await screen(page, 'emergency');
      expect((await asked(page, 'raise')).at(-1)?.['what']).toBe(what);
      await alive(page);
      await at(page, ids.close).click();
      await screen(page, 'locked');
    }
  });

  test('that gets no answer for the ward says why, and still takes a call for help', async () => {
    const page = await open('');
    await screen(page, 'locked');
    await program(page, 'refuse', 'locked');
    await page.reload();
    await program(page, 'refuse', 'locked');
    await page.locator('[data-code="program.fault"]').first().waitFor();
    await at(page, ids.notBreathing).click();
    await at(page, ids.told).waitFor();
  });

  test('counts only answers for the ward as being answered', async () => {
    const page = await open('');
    await at(page, ids.lockedOverdue).waitFor();
    await program(page, 'refuse', 'locked');
    await at(page, ids.notUpdated).waitFor();
  });

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
    const raised = await asked(page, 'raise');
    expect(raised).toEqual([{ what: 'not_found', stay: null, place: '', instead_of: null }]);
  });
});

test('a screen that gets no answer says so and greys, and never looks current', async () => {
  const page = await open('as=technician');
  await at(page, ids.card('104A')).waitFor();
  await program(page, 'hang');
  await at(page, ids.notUpdated).waitFor();
  expect(await at(page, ids.notUpdated).textContent()).toContain('02:47');
  expect(await at(page, ids.board).getAttribute('class')).toContain('stale');
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
  await at(page, ids.toast).getByText('Emergency over').waitFor();
  expect(await saves(page)).toHaveLength(1);
});

describe('help', () => {
  test('is on every screen of a signed-in person', async () => {
    const page = await open('as=technician');
    await at(page, ids.needHelp).waitFor();
    await pad(page, '104A');
    await at(page, ids.needHelp).waitFor();
    for (const way of [ids.addMood, ids.addBehaviour, ids.addNote, ids.addConcern, ids.notDone, ids.openDay]) {
      await at(page, way).click();
      await at(page, ids.needHelp).waitFor();
      await at(page, ids.close).click();
      await screen(page, 'pad');
    }
  });

  test('that could not be recorded has its page, its steps and no word of being saved, and is recorded later', async () => {
    const page = await open('as=technician&with=full');
    await pad(page, '104A');
    await at(page, ids.notBreathing).click();
    await screen(page, 'emergency');
    await at(page, ids.told).getByText('told nobody and could not record it').waitFor();
    expect(await page.locator('main > ol > li').count()).toBeGreaterThan(2);
    expect(await page.getByTestId(ids.endEmergency).count()).toBe(0);
    await program(page, 'setFull', false);
    await at(page, ids.endEmergency).waitFor();
    expect(await asked(page, 'raise')).toHaveLength(1);
  });

  test('that the program does not answer at all has a page too, also once it is locked', async () => {
    const page = await open('as=technician');
    await pad(page, '104A');
    await program(page, 'refuse', 'raise');
    await at(page, ids.notBreathing).click();
    await at(page, ids.told).getByText('Use your alarm or shout').waitFor();
    await program(page, 'lock');
    await at(page, ids.told).getByText('Use your alarm or shout').waitFor();
    expect(await page.content()).not.toContain('Garcia');
  });

  test('that has ended elsewhere does not come back as told nobody', async () => {
    for (const as of ['as=technician', '']) {
      const page = await open(as);
      await at(page, ids.needHelp).click();
      await at(page, ids.told).waitFor();
      await alive(page);
      await program(page, 'end', 'emergency-1');
      await screen(page, as === '' ? 'locked' : 'board');
      await page.context().close();
    }
  });

  test('keeps its time and what was typed: naming the patient, handing the tablet over', async () => {
    const page = await open('as=technician');
    await at(page, ids.notFound).click();
    await at(page, ids.told).waitFor();
    await alive(page);
    await program(page, 'pass', 90_000);
    await page.locator(`[data-testid="${ids.timer}"]`, { hasText: '1:3' }).waitFor();
    await at(page, 'which-patient').click();
    expect(await at(page, 'patient-104A').textContent()).toContain('≈ similar name');
    await at(page, 'patient-104A').click();
    await page.locator('main', { hasText: 'Garcia, Mateo' }).waitFor();
    await page.locator(`[data-testid="${ids.timer}"]`, { hasText: '1:3' }).waitFor();
    expect((await asked(page, 'raise'))[1]?.['instead_of']).toBe('emergency-1');
    await alive(page);
    await at(page, ids.words).fill('behind the bathroom door');
    await at(page, ids.handOver).click();
    await signIn(page, 'Maya');
    await at(page, ids.emergency(0)).click();
    expect(await at(page, ids.words).inputValue()).toBe('behind the bathroom door');
  });
});
