import { describe, expect, test } from 'vitest';
import { ids } from '../src/tablet/testids';
import { alive, asked, at, open, screen, signIn, withBrowser } from './hand';

withBrowser();

describe('a charge nurse', () => {
  test('lets somebody in again who was locked out', async () => {
    const page = await open('as=nurse&with=locked-out');
    await at(page, ids.statusStrip).click();
    await at(page, ids.people).click();
    await at(page, ids.lockedOut('staff-Maya')).getByTestId(ids.letIn).click();
    await at(page, ids.lockedOut('staff-Maya')).waitFor({ state: 'detached' });
    await at(page, ids.lockedOut('staff-Jon')).waitFor();
    expect(await asked(page, 'let_in')).toEqual([{ staff: 'staff-Maya' }]);
    await at(page, ids.close).click();
    await at(page, ids.lock).click();
    await signIn(page, 'Maya');
  });

  test('gives access for a shift; the PIN is typed twice and kept nowhere', async () => {
    const page = await open('as=nurse');
    await at(page, ids.statusStrip).click();
    await at(page, ids.people).click();
    await at(page, ids.giveAccess).click();
    expect(await at(page, ids.newPin).isDisabled()).toBe(true);
    await at(page, ids.guestField('given')).fill('Eva');
    await at(page, ids.guestField('family')).fill('Novak');
    await at(page, ids.guestField('number')).fill('Northstaff 118');
    expect(await page.locator('dialog [aria-pressed="true"]').count()).toBe(0);
    await at(page, ids.hours(8)).click();
    const type = async (first: string, second: string) => {
      await at(page, ids.newPin).fill(first);
      await at(page, ids.newPinAgain).fill(second);
    };
    await type('351806', '351807');
    await at(page, ids.pinsDiffer).waitFor();
    expect(await at(page, ids.giveAccessConfirm).isDisabled()).toBe(true);
    await type('123456', '123456');
    await at(page, ids.giveAccessConfirm).click();
    await page.locator('dialog [data-code="pin.weak"]').waitFor();
    expect([await at(page, ids.newPin).inputValue(), await at(page, ids.newPinAgain).inputValue()]).toEqual(['', '']);
    expect(await at(page, ids.guestField('family')).inputValue()).toBe('Novak');
    await type('351806', '351806');
    await at(page, ids.giveAccessConfirm).click();
    await page.locator('dialog').getByText('E. Novak, Northstaff 118').waitFor();
    expect((await asked(page, 'give_access')).at(-1)).toEqual({
      given: 'Eva',
      family: 'Novak',
      number: 'Northstaff 118',
      pin: '351806',
      hours: 8,
    });
    expect(await page.content()).not.toContain('351806');
  });
});

test('nobody else is offered to', async () => {
  const page = await open('as=technician');
  await at(page, ids.statusStrip).click();
  await at(page, ids.theme('day')).waitFor();
  expect(await at(page, ids.people).count()).toBe(0);
});

test('whoever is here for a shift has the end by their name on the sign-in list', async () => {
  const page = await open('with=guest');
  const tile = at(page, ids.person('Eva', ''));
  await tile.waitFor();
  expect(await tile.textContent()).toContain('until 07:30');
});

test('a locked-out person is told who can help, and that help works', async () => {
  const page = await open('with=locked-out');
  await at(page, ids.person('Maya', '')).click();
  await page.keyboard.type('246810');
  const said = page.locator(`[data-testid="${ids.pinMessage}"][data-code="pin.locked_out"]`);
  await said.waitFor();
  expect(await said.textContent()).toMatch(/charge nurse.*station.*Help works/);
  await at(page, ids.needHelp).click();
  await at(page, ids.told).waitFor();
});

test('help that nobody signed is claimed by whoever called, once they are signed in', async () => {
  const page = await open('with=unsigned');
  await screen(page, 'locked');
  await at(page, ids.emergency(0)).click();
  await at(page, ids.told).waitFor();
  expect(await at(page, ids.claim).count()).toBe(0);
  await at(page, ids.close).click();
  await signIn(page, 'Maya');
  await at(page, ids.emergency(0)).click();
  await at(page, ids.claim).click();
  await at(page, ids.caller).getByText('M. Okafor, as they said afterwards').waitFor();
  await alive(page);
  expect(await asked(page, 'claim')).toEqual([{ record: 'emergency-unsigned' }]);
  expect(await at(page, ids.claim).count()).toBe(0);
});

test('the end of signing in is told while there is nobody signed in, and to whoever is', async () => {
  const page = await open('with=ending');
  await page.locator('[data-code="sign_in.ends_soon"]').waitFor();
  await signIn(page, 'Maya');
  await at(page, ids.statusStrip).getByText('In 9 hours nobody can sign in').waitFor();
});

test('from one person to the next is a tap, a name and six digits', async () => {
  const page = await open('as=technician');
  await at(page, ids.card('104A')).waitFor();
  await at(page, ids.lock).click();
  await screen(page, 'locked');
  await at(page, ids.person('Sara', '')).click();
  for (const digit of [2, 4, 6, 8, 1, 0]) await at(page, ids.pin(digit)).click();
  await screen(page, 'board');
  await at(page, ids.lock).getByText('S. Lindqvist').waitFor();
});
