import { expect, test } from 'vitest';
import { ids } from '../src/tablet/testids';
import { alive, asked, at, check, kept, open, pad, program, saves, screen, signIn, withBrowser } from './hand';

withBrowser();

test('a full disk says NOT saved, keeps the entry, and saves it once there is room', async () => {
  const page = await open('as=technician&with=full');
  await pad(page, '104A');
  await at(page, ids.place('hallway')).click();
  await at(page, ids.activity('calm')).click();
  await at(page, ids.notSaved).waitFor();
  await at(page, ids.tryAgain).click();
  await page.locator(`[data-testid="${ids.tryAgain}"]:enabled`).waitFor();
  expect(await page.getByTestId(ids.toast).count()).toBe(0);
  await program(page, 'setFull', false);
  await at(page, ids.tryAgain).click();
  await at(page, ids.toast).waitFor();
  await screen(page, 'board');
  const tried = (await saves(page)).map((one) => one['id']);
  expect(tried).toHaveLength(3);
  expect(new Set(tried).size).toBe(1);
});

test('what was not saved outlives a lock and the saves of others, for its own person only, as a late entry', async () => {
  const page = await open('as=technician&with=full');
  await check(page, '104A');
  await at(page, ids.notSaved).waitFor();
  await program(page, 'lock');
  await program(page, 'setFull', false);
  await signIn(page, 'Sara');
  expect(await page.getByTestId(ids.notSaved).count()).toBe(0);
  await check(page, '101B');
  await at(page, ids.toast).waitFor();
  await alive(page);
  await at(page, ids.lock).click();
  await program(page, 'pass', 23 * 60_000);
  await signIn(page, 'Maya');
  await at(page, ids.notSaved).waitFor();
  await at(page, ids.willBeLate).getByText('Seen 02:47').waitFor();
  await at(page, ids.tryAgain).click();
  await at(page, ids.toast).getByText('Kept as a late entry, seen 02:47').waitFor();
  expect(await at(page, ids.card('104A')).getAttribute('data-state')).toBe('overdue');
});

test('tried again at once, it is the check that it was', async () => {
  const page = await open('as=technician&with=full');
  await check(page, '104A');
  await at(page, ids.notSaved).waitFor();
  expect(await page.getByTestId(ids.willBeLate).count()).toBe(0);
  await program(page, 'setFull', false);
  await at(page, ids.tryAgain).click();
  await page.locator(`[data-testid="${ids.card('104A')}"][data-state="ok"]`).waitFor();
  const [first, second] = await saves(page);
  expect(second?.['tapped_at']).toBe(first?.['tapped_at']);
});

test('looking again makes a check of now: the tiles are tapped anew, and so is the time', async () => {
  const page = await open('as=technician&with=full');
  await check(page, '104A');
  await at(page, ids.notSaved).waitFor();
  await program(page, 'pass', 10 * 60_000);
  await program(page, 'setFull', false);
  await at(page, ids.willBeLate).waitFor();
  await at(page, ids.notSaved).getByTestId(ids.close).click();
  await at(page, ids.activity('calm')).click();
  await at(page, ids.activity('pacing')).click();
  await page.locator(`[data-testid="${ids.card('104A')}"][data-state="ok"]`).waitFor();
  const [first, second] = await saves(page);
  expect(Number(second?.['tapped_at']) - Number(first?.['tapped_at'])).toBeGreaterThan(9 * 60_000);
});

test('an older half-made entry asks when it was seen, with nothing chosen, before it can be saved', async () => {
  const page = await open('as=technician&with=draft');
  await at(page, ids.draftContinue).click();
  await screen(page, 'behaviour');
  await at(page, ids.seenThen).waitFor();
  for (const id of [ids.seenNow, ids.seenThen, ids.seenOther])
    expect(await at(page, id).getAttribute('aria-pressed')).toBe('false');
  expect(await at(page, ids.save).isDisabled()).toBe(true);
  await at(page, ids.seenThen).click();
  await at(page, ids.save).click();
  await screen(page, 'board');
  expect((await saves(page))[0]?.['observed_at']).toBe(Date.UTC(2026, 10, 22, 7, 31, 10));
});

test('an older half-made entry can be of another time', async () => {
  const page = await open('as=technician&with=draft');
  await at(page, ids.draftContinue).click();
  await at(page, ids.seenOther).click();
  expect(await at(page, ids.save).isDisabled()).toBe(true);
  await at(page, 'late-hour').selectOption('02:00');
  await at(page, 'late-minute').fill('35');
  await at(page, ids.save).click();
  await screen(page, 'board');
  expect((await saves(page))[0]?.['observed_at']).toBe(Date.UTC(2026, 10, 22, 7, 35));
});

test('the half-made entry that was chosen is the one that opens', async () => {
  const page = await open('as=technician');
  for (const words of ['the older', 'the newer']) {
    await pad(page, '107A');
    await at(page, ids.addNote).click();
    await at(page, ids.words).fill(words);
    await at(page, ids.close).click();
    await screen(page, 'pad');
    await at(page, ids.close).click();
  }
  await at(page, ids.draftContinue).click();
  await screen(page, 'note');
  await page.waitForFunction(() => document.querySelector('textarea')?.value === 'the older');
});

test('what cannot be kept is not lost by closing, and closing again says that it is', async () => {
  const page = await open('as=technician');
  await pad(page, '107A');
  await at(page, ids.addNote).click();
  await program(page, 'setFull', true);
  await at(page, ids.words).fill('half a sentence');
  await at(page, ids.close).click();
  await at(page, ids.close).getByText('lose it').waitFor();
  await page.locator('[data-code="disk.full"]').first().waitFor();
  expect(await at(page, ids.words).inputValue()).toBe('half a sentence');
});

test('what follows a save is done when it is saved at last: the correction closes, the emergency ends', async () => {
  const page = await open('as=technician');
  await pad(page, '104A');
  await at(page, ids.openDay).click();
  await at(page, ids.amend).nth(3).click();
  await at(page, 'how-wrong_patient').click();
  await program(page, 'setFull', true);
  await at(page, 'sheet').getByTestId(ids.save).click();
  await at(page, ids.notSaved).waitFor();
  await program(page, 'setFull', false);
  await at(page, ids.tryAgain).click();
  await at(page, ids.toast).getByText('Taken back').waitFor();
  expect(await page.getByTestId('sheet').count()).toBe(0);
  await alive(page);
  await at(page, ids.close).click();
  await at(page, ids.notFound).click();
  await at(page, ids.told).waitFor();
  await alive(page);
  await at(page, ids.found).click();
  await program(page, 'setFull', true);
  await at(page, ids.place('hallway')).click();
  await at(page, ids.activity('calm')).click();
  await at(page, ids.notSaved).waitFor();
  await program(page, 'setFull', false);
  await at(page, ids.tryAgain).click();
  await at(page, ids.toast).getByText('Emergency over').waitFor();
});

test('a refusal is shown inside the sheet that it belongs to', async () => {
  const page = await open('as=technician');
  await program(page, 'refuse', 'take_over');
  await program(page, 'refuse', 'locked');
  await at(page, ids.needHelp).click();
  await at(page, ids.told).waitFor();
  await alive(page);
  await at(page, ids.whoCame).click();
  await at(page, 'sheet').locator('[data-code="program.fault"]').waitFor();
});

test('two late entries in a row are two, and words with a check are an entry of the same time', async () => {
  const page = await open('as=technician');
  await pad(page, '104A');
  await at(page, ids.openDay).click();
  for (const minute of ['37', '39']) {
    await at(page, ids.lateEntry).click();
    await at(page, 'late-hour').selectOption('01:00');
    await at(page, 'late-minute').fill(minute);
    await at(page, ids.place('hallway')).click();
    await at(page, ids.activity('calm')).click();
    await at(page, ids.words).fill(`seen at ${minute}`);
    await at(page, ids.save).click();
    await page.getByTestId('sheet').waitFor({ state: 'detached' });
    await alive(page);
  }
  await page.waitForFunction(
    () =>
      (window as unknown as { fixture: { calls: () => { command: string }[] } }).fixture
        .calls()
        .filter((one) => one.command === 'save').length === 4,
  );
  const saved = await saves(page);
  expect(new Set(saved.map((one) => one['id'])).size).toBe(4);
  expect(saved.map((one) => one['observed_at'])).toEqual(
    [37, 37, 39, 39].map((minute) => Date.UTC(2026, 10, 22, 6, minute)),
  );
});

test('a half-made late entry outlives a lock', async () => {
  const page = await open('as=technician');
  await pad(page, '104A');
  await at(page, ids.openDay).click();
  await at(page, ids.lateEntry).click();
  await at(page, ids.words).fill('was at the window');
  await kept(page, 'was at the window');
  await program(page, 'lock');
  await signIn(page, 'Maya');
  await at(page, ids.draftContinue).click();
  await screen(page, 'day');
  await page.waitForFunction(() => document.querySelector('textarea')?.value === 'was at the window');
});

test('a half-written correction outlives a lock, and is gone once it is made', async () => {
  const page = await open('as=technician');
  await pad(page, '104A');
  await at(page, ids.openDay).click();
  await at(page, ids.amend).nth(3).click();
  await at(page, 'how-other').click();
  await at(page, ids.words).fill('it was the man next door');
  await kept(page, 'next door');
  await program(page, 'lock');
  await signIn(page, 'Maya');
  await at(page, ids.draft).getByText('Half-made correction').waitFor();
  await at(page, ids.draftContinue).click();
  await screen(page, 'day');
  await page.waitForFunction(() => document.querySelector('textarea')?.value === 'it was the man next door');
  await at(page, 'sheet').getByTestId(ids.save).click();
  await at(page, ids.toast).waitFor();
  expect(await page.getByTestId('sheet').count()).toBe(0);
  const [amended] = await asked(page, 'amend');
  expect(amended).toMatchObject({ action: { do: 'retract' }, reason: 'other', words: 'it was the man next door' });
  await alive(page);
  await at(page, ids.close).click();
  await screen(page, 'board');
  expect(await page.getByTestId(ids.draft).count()).toBe(0);
});

test('a patient who has left is still written about, and the page closes', async () => {
  const page = await open('as=technician');
  await pad(page, '104A');
  await program(page, 'leaves', '104A');
  await at(page, ids.card('104A')).waitFor({ state: 'detached' });
  await at(page, ids.place('hallway')).click();
  await at(page, ids.activity('calm')).click();
  await screen(page, 'board');
  expect(await saves(page)).toHaveLength(1);
});

test('a patient whom the program does not know: the refusal, help, and the way back', async () => {
  const page = await open('as=technician');
  await program(page, 'refuse', 'pad');
  await at(page, ids.card('104A')).click();
  await at(page, ids.refusal).waitFor();
  await at(page, ids.notBreathing).waitFor();
  await at(page, ids.close).click();
  await screen(page, 'board');
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
