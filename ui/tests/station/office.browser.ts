import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { ids } from '../../src/station/testids';
import { Desk, launch, type Size } from './browser';
import { ADMINISTRATOR, emptyFacility } from './office';
import { board, SESSION } from './ward';

let browser: Browser;
let desk: Desk;

beforeAll(async () => {
  browser = await launch();
});
afterEach(() => desk.close());
afterAll(() => browser.close());

const sit = async (size: Size = 'desk') => (desk = await Desk.open(browser, inject('pages'), size));
const NURSE = { ...SESSION, role: 'nurse' as const };
const post = () => desk.facility.posts.at(-1);
const refusal = (code: string, what = 'It was refused.') => ({ code, what, next: 'Do it otherwise.' });
/** The words of the refusal that is shown, and whether they stand with a field. */
const refused = async () => (await desk.at(ids.refusal).textContent())?.trim();

async function door(): Promise<void> {
  desk.facility.door = { set_up: true, demo: false, facility_name: '' };
  desk.facility.demoHeader = false;
  await desk.page.goto(desk.facility.url);
  await desk.at(ids.setUp).waitFor();
}
/** The network is lost with the next request to this path. */
const breaks = (path: string) =>
  desk.page.route(`**/station/api/${path}`, (route) => route.abort('connectionreset'), { times: 1 });
async function go(place: Parameters<typeof ids.nav>[0]): Promise<void> {
  await desk.at(ids.nav(place)).click();
}
async function ofPatient(act: Parameters<typeof ids.act>[0], bed = '104A'): Promise<void> {
  await desk.board();
  await desk.at(ids.row(bed)).click();
  await desk.at(ids.act(act)).click();
  await desk.at(ids.save).waitFor();
}

describe('every page, in both themes and sizes', () => {
  const PAGES: Record<string, () => Promise<void>> = {
    'set-up': door,
    'set-up-refused': async () => {
      await door();
      await desk.fill({ ...ME, again: 'something else' });
      await desk.at(ids.setUpMake).click();
      await desk.at(ids.refusal).waitFor();
    },
    'login-code': async () => {
      desk.facility.factor = true;
      await desk.page.goto(desk.facility.url);
      await desk.at(ids.loginName).fill('j.reyes');
      await desk.at(ids.loginPassword).fill('amber-heron-42');
      await desk.at(ids.loginSubmit).click();
      await desk.at(ids.loginCode).waitFor();
    },
    'gate-factor': async () => {
      await desk.office({ ...ADMINISTRATOR, first: 'factor' });
      await desk.at(ids.factorQr).waitFor();
    },
    'gate-password': () => desk.office({ ...ADMINISTRATOR, first: 'password' }),
    'start-empty': async () => {
      desk.facility.setUp = emptyFacility();
      await desk.office();
      await desk.at(ids.step('ward')).waitFor();
    },
    start: async () => {
      await desk.office();
      await desk.at(ids.step('ward')).waitFor();
    },
    wards: async () => {
      await desk.office();
      await go('wards');
      await desk.at(ids.ward('Willow Ward')).waitFor();
    },
    'ward-form': async () => {
      await desk.office();
      await go('wards');
      await desk.at(ids.wardOpen('Willow Ward')).click();
      await desk.at(ids.field('beds')).fill('111A-112B');
    },
    staff: async () => {
      await desk.office();
      await go('staff');
      await desk.at(ids.staff('MHT 2304')).waitFor();
    },
    'staff-form': async () => {
      await desk.office();
      await go('staff');
      await desk.at(ids.staffOpen('RN 1204')).click();
      await desk.at(ids.factorDrop).waitFor();
    },
    'staff-secret': async () => {
      await desk.office();
      await go('staff');
      await desk.at(ids.staffOpen('AG 771')).click();
      await desk.at(ids.pinMake).click();
      await desk.at(ids.secret).waitFor();
    },
    'staff-charge-nurse': async () => {
      await desk.office(SESSION);
      await go('staff');
      await desk.at(ids.staff('MHT 2304')).waitFor();
    },
    tablets: async () => {
      await desk.office();
      await go('tablets');
      await desk.at(ids.tablet('W-3')).waitFor();
    },
    'tablet-revoke': async () => {
      await desk.office();
      await go('tablets');
      await desk.at(ids.tabletRevoke('W-3')).click();
      await desk.at(ids.save).waitFor();
    },
    join: async () => {
      await desk.office();
      await go('tablets');
      await desk.at(ids.tabletInstead('W-3')).click();
      await desk.at(ids.makeInvite).click();
      await desk.at(ids.inviteQr).waitFor();
    },
    lists: async () => {
      await desk.office();
      await go('lists');
      await desk.at(ids.item(0)).waitFor();
    },
    settings: async () => {
      await desk.office();
      await go('settings');
      await desk.at(ids.field('tolerance_minutes')).waitFor();
    },
    audit: async () => {
      desk.facility.audit = { ...desk.facility.audit, more: true };
      await desk.office();
      await go('audit');
      await desk.at(ids.auditRow(0)).waitFor();
    },
    account: async () => {
      await desk.office();
      await go('account');
      await desk.at(ids.changePassword).waitFor();
    },
    'day-acts': async () => {
      await desk.board();
      await desk.at(ids.row('104A')).click();
      await desk.at(ids.dayRow(0)).waitFor();
    },
    admit: async () => {
      await desk.board();
      await desk.at(ids.admit).click();
      await desk.at(ids.save).waitFor();
    },
    leave: async () => {
      await desk.office();
      await go('wards');
      await desk.at(ids.wardOpen('Willow Ward')).click();
      await desk.fill({ ward: 'Willow House' });
      await go('staff');
      await desk.at(ids.leave).waitFor();
    },
    'order-other': async () => {
      desk.facility.session = { ...SESSION, zone: 'America/New_York' };
      desk.facility.board = { ...board(), now: Date.UTC(2026, 10, 1, 3), clock: '23:00' };
      await ofPatient('order');
      await desk.at(ids.level('other')).check();
      await desk.fill({ limit: '10', until: '2026-11-01T01:30' });
    },
    order: async () => {
      await ofPatient('order');
      await desk.at(ids.level('continuous')).check();
      await desk.at(ids.level('1:1')).check();
      await desk.at(ids.level('within_arms_length')).check();
    },
    precautions: () => ofPatient('precautions'),
    pause: () => ofPatient('pause'),
    discharge: () => ofPatient('discharge'),
    'empty-ward': async () => {
      desk.facility.board = board([]);
      await desk.board();
    },
  };
  const CASES = Object.keys(PAGES).flatMap((name) =>
    (
      [
        ['day', 'desk'],
        ['night', 'big'],
        ['day', 'zoomed'],
      ] as const
    ).map(([theme, size]) => ({ name, theme, size })),
  );
  test.each(CASES)('$name $theme $size: no serious finding, nothing cut off', async ({ name, theme, size }) => {
    await sit(size);
    await desk.page.addInitScript((chosen) => {
      localStorage.setItem('lamplight-station-theme', chosen);
    }, theme);
    await PAGES[name]?.();
    await desk.picture(`${name}-${theme}-${size}`);
    await desk.isSound();
  });
});

const ME = {
  code: 'k7qm-2xwd-9fht',
  facility: 'Harbour House',
  family: 'Reyes',
  given: 'Joan',
  number: 'ADM 1',
  login: 'j.reyes',
  password: 'copper window lantern',
  again: 'copper window lantern',
};

describe('the door', () => {
  test('a facility that is none yet asks for the code, then for a second factor, then says what comes next', async () => {
    await sit();
    await door();
    desk.facility.session = { ...ADMINISTRATOR, demo: false, first: 'factor' };
    desk.facility.setUp = emptyFacility();
    await desk.fill({ ...ME, again: 'copper window lanterns' });
    await desk.at(ids.field('zone')).selectOption('Europe/London');
    await desk.at(ids.setUpMake).click();
    expect(await refused()).toContain('The two are not the same.');
    expect(desk.facility.posts).toEqual([]);
    await desk.fill({ again: ME.again });
    desk.facility.refuseNext = {
      path: 'set-up',
      refusal: refusal('set_up.code', 'That is not the code.'),
      status: 403,
    };
    await desk.at(ids.setUpMake).click();
    await expect.poll(refused).toContain('That is not the code.');
    expect(await desk.at(ids.field('code')).getAttribute('aria-invalid')).toBe('true');
    expect(await desk.at(ids.field('code')).evaluate((field) => field === document.activeElement)).toBe(true);
    expect(await desk.at(ids.field('password')).inputValue()).toBe(ME.password);
    await desk.at(ids.setUpMake).click();
    await desk.at(ids.gate('factor')).waitFor();
    const typed = Object.fromEntries(Object.entries(ME).filter(([name]) => name !== 'facility' && name !== 'again'));
    expect(post()?.path).toBe('factor/begin');
    expect(desk.facility.posts.at(-2)).toEqual({
      path: 'set-up',
      body: { ...typed, facility_name: ME.facility, zone: 'Europe/London' },
    });
    // Nothing else is reachable.
    expect(await desk.page.getByRole('navigation').count()).toBe(0);
    await desk.at(ids.factorCode).fill('123 456');
    await desk.at(ids.factorConfirm).click();
    await desk.at(ids.step('ward')).waitFor();
    expect(await desk.at(ids.step('ward')).textContent()).not.toContain('Done');
    expect(desk.facility.posts.at(-1)).toEqual({ path: 'factor/confirm', body: { code: '123456' } });
    const kept = await desk.page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }) + location.href);
    for (const secret of [ME.password, ME.code, 'JBSW']) expect(kept).not.toContain(secret);
  });

  test('a log-in with a second factor asks for its code, and keeps what was typed', async () => {
    await sit();
    desk.facility.factor = true;
    await desk.page.goto(desk.facility.url);
    await desk.at(ids.loginName).fill('s.lindqvist');
    await desk.at(ids.loginPassword).fill('amber-heron-42');
    expect(await desk.at(ids.loginCode).count()).toBe(0);
    await desk.at(ids.loginSubmit).click();
    await desk.at(ids.loginCode).waitFor();
    expect(await desk.at(ids.loginPassword).inputValue()).toBe('amber-heron-42');
    await desk.at(ids.loginCode).fill('123456');
    await desk.page.keyboard.press('Enter');
    await desk.at(ids.row('104A')).waitFor();
  });

  test('a password that somebody else gave has to be changed first; a wrong one leaves the person there', async () => {
    await sit();
    await desk.office({ ...NURSE, first: 'password' });
    await desk.at(ids.gate('password')).waitFor();
    expect(desk.facility.opened).toBe(0);
    await desk.fill({ old: 'given', password: ME.password, again: ME.password });
    desk.facility.refuseNext = { path: 'password', refusal: refusal('auth.wrong', 'Not the old one.'), status: 401 };
    await desk.at(ids.changePassword).click();
    await expect.poll(refused).toContain('Not the old one.');
    expect(await desk.at(ids.field('password')).inputValue()).toBe(ME.password);
    await desk.at(ids.changePassword).click();
    await desk.at(ids.row('104A')).waitFor();
    expect(post()).toEqual({ path: 'password', body: { old: 'given', new: ME.password } });
  });
});

describe('who sees what', () => {
  test.each([
    [ADMINISTRATOR, ['start', 'wards', 'staff', 'tablets', 'join', 'lists', 'settings', 'audit', 'account']],
    [{ ...SESSION, role: 'manager' as const }, ['audit', 'account']],
    [SESSION, ['board', 'tablets', 'join', 'staff', 'account']],
    [NURSE, ['board', 'tablets', 'join', 'account']],
    [{ ...SESSION, role: 'technician' as const }, ['board', 'tablets', 'account']],
  ])('$role', async (session, places) => {
    await sit('wide');
    await desk.office(session);
    const found = await desk.page
      .locator('[data-testid^="nav-"]')
      .evaluateAll((all) => all.map((one) => one.getAttribute('data-testid')?.slice(4)));
    expect(found).toEqual(places);
  });

  test('an administrator and a manager open no board, and no alarm follows them', async () => {
    await sit();
    await desk.page.clock.install();
    await desk.office();
    await desk.at(ids.step('ward')).waitFor();
    expect(desk.facility.opened).toBe(0);
    expect(await desk.page.content()).not.toContain('Garcia');
    desk.facility.loggedIn = false;
    await go('wards');
    await desk.at(ids.loginName).waitFor();
    await desk.page.clock.runFor(20_000);
    expect(await desk.at(ids.stale).count()).toBe(0);
  });
});

describe('the facility', () => {
  test('a ward is made with many beds at once, put in order by keyboard, and kept where saving fails', async () => {
    await sit();
    desk.facility.setUp = emptyFacility();
    await desk.office();
    await go('wards');
    await desk.at(ids.wardNew).click();
    await desk.fill({ ward: 'Elm Ward', beds: '101A-102B', area: 'East' });
    await desk.at(ids.bedsAdd).click();
    await desk.at(ids.bedUp(3)).focus();
    await desk.page.keyboard.press('Enter');
    expect(await desk.at(ids.bedUp(2)).evaluate((one) => one === document.activeElement)).toBe(true);
    await desk.page.keyboard.press('Enter');
    await desk.at(ids.bedRemove(0)).click();
    await breaks('facility/ward');
    await desk.at(ids.save).click();
    await expect.poll(refused).toContain('gave no answer');
    expect(await desk.at(ids.field('ward')).inputValue()).toBe('Elm Ward');
    await desk.at(ids.save).click();
    await desk.at(ids.ward('Elm Ward')).waitFor();
    const bed = (label: string) => ({ label, room: label.slice(0, 3), area: 'East' });
    expect(post()).toEqual({
      path: 'facility/ward',
      body: { id: null, name: 'Elm Ward', beds: ['102B', '101B', '102A'].map(bed) },
    });
    expect(await desk.at(ids.said).textContent()).toContain('Elm Ward is saved with 3 beds.');
    await go('start');
    await expect.poll(() => desk.at(ids.step('ward')).textContent()).toContain('Done: 1 ward, 3 beds');
  });

  test('two beds of one name are refused before anything is sent', async () => {
    await sit();
    await desk.office();
    await go('wards');
    await desk.at(ids.wardOpen('Oak Ward')).click();
    await desk.at(ids.bedRow(0)).getByLabel('Bed 1', { exact: true }).fill('202a');
    await desk.at(ids.save).click();
    expect(await refused()).toContain('Two beds are called 202A');
    expect(desk.facility.posts).toEqual([]);
  });

  test('somebody new gets a PIN and a first password, each shown once and kept nowhere', async () => {
    await sit();
    await desk.office();
    await go('staff');
    await desk.at(ids.staffNew).click();
    await desk.fill({ family: 'Osei', given: 'Kofi', number: 'RN 9' });
    await desk.at(ids.field('role')).selectOption('nurse');
    await desk.at(ids.wardOf('Oak Ward')).check();
    const taken = refusal('staff.number', 'Somebody else has this number.');
    desk.facility.refuseNext = { path: 'facility/staff', refusal: taken, status: 409 };
    await desk.at(ids.save).click();
    await expect.poll(refused).toContain('Somebody else has this number.');
    expect(await desk.at(ids.field('number')).getAttribute('aria-invalid')).toBe('true');
    await desk.at(ids.save).click();
    await desk.at(ids.pinMake).click();
    await expect.poll(post).toEqual({ path: 'facility/pin', body: { staff: 'made-1' } });
    expect((await desk.at(ids.secret).textContent())?.replaceAll(/\s/g, '')).toBe('418305');
    await desk.page.keyboard.press('Escape');
    await desk.page.keyboard.press('Escape');
    expect(await desk.at(ids.secret).isVisible()).toBe(true);
    await desk.at(ids.secretDone).click();
    await desk.at(ids.secret).waitFor({ state: 'detached' });
    await desk.fill({ login: 'k.osei' });
    await desk.at(ids.loginMake).click();
    await expect.poll(() => desk.at(ids.secret).textContent()).toContain('copper-window-lantern-27');
    await desk.at(ids.secretDone).click();
    await desk.at(ids.secret).waitFor({ state: 'detached' });
    const kept = await desk.page.evaluate(
      () => JSON.stringify({ ...localStorage, ...sessionStorage, state: history.state as unknown }) + location.href,
    );
    expect(kept + (await desk.page.content())).not.toMatch(/418305|copper-window/);
    await desk.at(ids.cancel).click();
    expect(await desk.at(ids.staff('RN 9')).textContent()).toContain('PIN set');
  });

  test('who leaves is taken off the list after a second word, and found again there', async () => {
    await sit();
    await desk.office();
    await go('staff');
    await desk.at(ids.staffSearch).fill('okafor');
    await desk.at(ids.staffOpen('MHT 2304')).click();
    await desk.at(ids.staffOff).click();
    expect(desk.facility.posts).toEqual([]);
    await desk.at(ids.staffOffSure).click();
    await expect.poll(() => post()?.body).toMatchObject({ id: 'staff-Maya', active: false, family: 'Okafor' });
  });

  test('a charge nurse makes PINs and changes nobody', async () => {
    await sit();
    await desk.office(SESSION);
    await go('staff');
    expect(await desk.at(ids.staffNew).count()).toBe(0);
    await desk.at(ids.staffOpen('AG 771')).click();
    expect(await desk.at(ids.field('family')).count()).toBe(0);
    await desk.at(ids.pinMake).click();
    await desk.at(ids.secret).waitFor();
  });

  test('an item of a list gets its code from its label, and a saved code stays', async () => {
    await sit();
    await desk.office();
    await go('lists');
    await desk.at(ids.item(0)).getByLabel('Label of item 1').fill('Own room');
    await desk.at(ids.itemAdd).click();
    await desk.page.keyboard.type('Roof garden');
    await desk.at(ids.save).click();
    await expect.poll(() => desk.at(ids.said).textContent()).toContain('The lists are saved');
    const { lists } = post()?.body as { lists: { places: { code: string; label: string }[] } };
    expect(lists.places[0]).toMatchObject({ code: 'bedroom', label: 'Own room' });
    expect(lists.places.at(-1)).toMatchObject({ code: 'roof_garden', label: 'Roof garden' });
    expect(lists.places[0]).not.toHaveProperty('key');
  });

  test('a setting is refused at its field, and saved', async () => {
    await sit();
    await desk.office();
    await go('settings');
    await desk.fill({ idle_lock_seconds: '300' });
    desk.facility.refuseNext = { path: 'facility/settings', refusal: refusal('settings.idle'), status: 400 };
    await desk.at(ids.save).click();
    await expect.poll(() => desk.at(ids.field('idle_lock_seconds')).getAttribute('aria-invalid')).toBe('true');
    await desk.at(ids.save).click();
    await expect.poll(() => desk.at(ids.said).textContent()).toContain('The settings are saved');
    expect(post()?.body).toMatchObject({ idle_lock_seconds: 300, tolerance_minutes: 0 });
  });

  test('the limits that an order offers are set, and what is no number is sent nowhere', async () => {
    await sit();
    await desk.office();
    await go('settings');
    await desk.fill({ limits_minutes: '5, ten' });
    await desk.at(ids.save).click();
    await expect.poll(refused).toContain('These limits cannot be read.');
    expect(desk.facility.posts).toEqual([]);
    await desk.fill({ limits_minutes: '5 10,20' });
    await desk.at(ids.save).click();
    await expect.poll(() => post()?.body).toMatchObject({ limits_minutes: [5, 10, 20], tolerance_minutes: 0 });
    expect(await desk.at(ids.field('limits_minutes')).inputValue()).toBe('5, 10, 20');
  });

  /** Something is typed on a page, and not saved. */
  const TYPED: Record<string, () => Promise<void>> = {
    'a ward': async () => {
      await go('wards');
      await desk.at(ids.wardOpen('Oak Ward')).click();
      await desk.at(ids.bedRow(0)).getByLabel('Bed 1', { exact: true }).fill('299');
    },
    'a new ward': async () => {
      await go('wards');
      await desk.at(ids.wardNew).click();
      await desk.fill({ beds: '101-104' });
    },
    'the lists': async () => {
      await go('lists');
      await desk.at(ids.item(0)).getByLabel('Label of item 1').fill('Own room');
    },
    'the settings': async () => {
      await go('settings');
      await desk.fill({ idle_lock_seconds: '300' });
    },
  };
  test.each(Object.keys(TYPED))('%s that is not saved is left only by somebody who means it', async (name) => {
    await sit();
    await desk.office();
    await TYPED[name]?.();
    const field = desk.page.locator('main input:not([type=checkbox])').first();
    const shown = await field.inputValue();
    for (const leave of [() => go('audit'), () => desk.page.goBack(), () => desk.at(ids.logout).click()]) {
      await leave();
      await desk.at(ids.leave).waitFor();
      await desk.at(ids.leaveNot).click();
      await desk.at(ids.leave).waitFor({ state: 'detached' });
      expect(await field.inputValue()).toBe(shown);
    }
    expect(desk.facility.posts).toEqual([]);
    // The tab: the browser asks in its own words.
    const asked = new Promise<string>((done) => {
      desk.page.once('dialog', (dialog) => {
        done(dialog.type());
        void dialog.dismiss();
      });
    });
    await desk.page.close({ runBeforeUnload: true });
    expect(await asked).toBe('beforeunload');
    await go('audit');
    await desk.at(ids.leaveSure).click();
    await desk.at(ids.auditRow(0)).waitFor();
    expect(await desk.at(ids.leave).count()).toBe(0);
    // Nothing is typed any more.
    await go('start');
    await desk.at(ids.step('ward')).waitFor();
  });

  test('a person who is half changed is left only by somebody who means it, also with Escape and back', async () => {
    await sit();
    await desk.office();
    await go('staff');
    await desk.at(ids.staffOpen('RN 1204')).click();
    await desk.page.keyboard.press('Escape');
    await desk.at(ids.field('family')).waitFor({ state: 'detached' });
    await desk.at(ids.staffOpen('RN 1204')).click();
    await desk.fill({ family: 'Parker' });
    const ways = [
      () => desk.page.keyboard.press('Escape'),
      () => desk.at(ids.cancel).click(),
      () => desk.page.goBack(),
    ];
    for (const leave of ways) {
      await leave();
      await desk.at(ids.leaveNot).click();
      await desk.at(ids.leave).waitFor({ state: 'detached' });
      expect(await desk.at(ids.field('family')).inputValue()).toBe('Parker');
    }
    await desk.at(ids.save).click();
    await desk.at(ids.field('family')).waitFor({ state: 'detached' });
    expect(post()?.body).toMatchObject({ family: 'Parker' });
    await desk.at(ids.staffOpen('RN 1204')).click();
    await desk.fill({ family: 'Park' });
    await desk.page.keyboard.press('Escape');
    await desk.at(ids.leaveSure).click();
    await desk.at(ids.field('family')).waitFor({ state: 'detached' });
    expect(await desk.at(ids.staff('RN 1204')).textContent()).toContain('Parker');
  });

  test('what is saved is left without a question', async () => {
    await sit();
    await desk.office();
    await TYPED['the settings']?.();
    await desk.at(ids.save).click();
    await expect.poll(() => desk.at(ids.said).textContent()).toContain('The settings are saved');
    await go('wards');
    await desk.at(ids.ward('Oak Ward')).waitFor();
    await TYPED['a ward']?.();
    await desk.at(ids.save).click();
    await desk.at(ids.ward('Oak Ward')).waitFor();
    await go('audit');
    await desk.at(ids.auditRow(0)).waitFor();
    expect(await desk.at(ids.leave).count()).toBe(0);
  });

  test('a lost tablet is taken out of use with a reason; another takes its place', async () => {
    await sit();
    await desk.office();
    await go('tablets');
    await desk.at(ids.tabletInstead('W-3')).click();
    await desk.at(ids.makeInvite).click();
    await desk.at(ids.inviteQr).waitFor();
    expect(post()).toEqual({ path: 'invite', body: { ward: 'ward-willow', replaces: 't-W-3' } });
    await go('tablets');
    await desk.at(ids.tabletMove('W-2')).click();
    await desk.at(ids.field('to')).selectOption('ward-oak');
    await desk.at(ids.save).click();
    await expect.poll(() => desk.at(ids.said).textContent()).toContain('W-2 belongs to Oak Ward');
    await desk.at(ids.tabletRevoke('W-3')).click();
    await desk.fill({ reason: 'lost on 26 November' });
    await desk.at(ids.save).click();
    await expect.poll(() => desk.at(ids.said).textContent()).toContain('W-3 is taken out of use');
    expect(post()).toEqual({
      path: 'facility/tablet/revoke',
      body: { tablet: 't-W-3', reason: 'lost on 26 November' },
    });
  });

  test('the audit is narrowed by stretch in the facility’s zone, act and person', async () => {
    await sit();
    await desk.office();
    await go('audit');
    await desk.at(ids.auditRow(0)).waitFor();
    expect(desk.facility.audits).toEqual([{}]);
    await desk.fill({ from: '2026-11-22T02:47' });
    await desk.at(ids.field('act')).selectOption('locked_out');
    await desk.at(ids.field('staff')).selectOption('staff-Ana');
    await desk.at(ids.auditAsk).click();
    await expect
      .poll(() => desk.facility.audits.at(-1))
      .toEqual({
        from: String(Date.UTC(2026, 10, 22, 8, 47)),
        act: 'locked_out',
        staff: 'staff-Ana',
      });
  });
});

describe('patients by hand', () => {
  test('the first patient of an empty ward is admitted, and what was typed outlives a lost network', async () => {
    await sit();
    desk.facility.board = board([]);
    desk.facility.session = NURSE;
    await desk.board();
    await desk.at(ids.emptyWard).waitFor();
    await desk.at(ids.admit).click();
    await desk.fill({ family: 'Abara', given: 'Chi', mrn: '0012117', born: '1991-03-12' });
    await desk.at(ids.field('bed')).selectOption('111A');
    await breaks('admit');
    await desk.at(ids.save).click();
    await expect.poll(refused).toContain('gave no answer');
    expect(await desk.at(ids.field('family')).inputValue()).toBe('Abara');
    await desk.at(ids.save).click();
    await expect.poll(() => desk.at(ids.said).textContent()).toContain('a check is due at once');
    expect(post()).toEqual({
      path: 'admit',
      body: {
        ward: 'ward-willow',
        mrn: '0012117',
        family: 'Abara',
        given: 'Chi',
        born: '1991-03-12',
        bed: '111A',
      },
    });
    expect(await desk.at(ids.admit).evaluate((one) => one === document.activeElement)).toBe(true);
    expect(desk.page.url()).toBe(desk.facility.url);
  });

  test('a stricter level forewarns of the check that is due, and a continuous one says each of its parts', async () => {
    await sit();
    await ofPatient('order');
    expect(await desk.page.locator('dialog[open] input:checked').count()).toBe(0);
    await desk.at(ids.level('Q5')).check();
    expect(await desk.page.locator('dialog [role=status]').allTextContents()).toContain(
      'Stricter than Q15: a check is due at once, and a technician has to acknowledge it.',
    );
    await desk.at(ids.level('continuous')).check();
    await desk.at(ids.level('2:1')).check();
    await desk.at(ids.level('within_eyesight')).check();
    await desk.fill({ sleep: 'door open', 'ordered-by': 'Dr A. Patel', reason: 'said that she will go' });
    await desk.at(ids.within('4 h')).click();
    desk.facility.notice = 'Nobody is with the patient yet.';
    await desk.at(ids.save).click();
    await expect.poll(() => desk.at(ids.said).textContent()).toContain('Nobody is with the patient yet.');
    const { now } = desk.facility.board;
    expect(post()).toEqual({
      path: 'order',
      body: {
        ward: 'ward-willow',
        stay: 'stay-104A',
        level: {
          how: 'continuous',
          ratio: [2, 1],
          distance: 'within_eyesight',
          bathroom: null,
          sleep: 'door open',
        },
        ordered_by: 'Dr A. Patel',
        reason: 'said that she will go',
        until: Math.floor(now / 60_000) * 60_000 + 4 * 3_600_000,
      },
    });
  });

  test('a limit that the facility’s list does not have is typed in, within bounds', async () => {
    await sit();
    await ofPatient('order');
    await desk.at(ids.level('other')).check();
    await desk.fill({ 'ordered-by': 'Dr A. Patel', reason: 'as ordered', limit: '1441' });
    await desk.at(ids.save).click();
    expect(desk.facility.posts).toEqual([]);
    await desk.fill({ limit: '10' });
    expect(await desk.page.locator('dialog [role=status]').allTextContents()).toContain(
      'Stricter than Q15: a check is due at once, and a technician has to acknowledge it.',
    );
    desk.facility.refuseNext = { path: 'order', refusal: refusal('order.limit', 'Not that limit.'), status: 400 };
    await desk.at(ids.save).click();
    await expect.poll(refused).toContain('Not that limit.');
    expect(await desk.at(ids.field('limit')).getAttribute('aria-invalid')).toBe('true');
    await desk.at(ids.save).click();
    await expect.poll(() => desk.at(ids.said).textContent()).toContain('Q10 is ordered for 104A.');
    expect(post()?.body).toMatchObject({ level: { how: 'intermittent', limit_minutes: 10 } });
  });

  /** An order that is about to get its end, at that moment of New York. */
  async function endOfOrder(now: number, clock: string): Promise<void> {
    await sit();
    desk.facility.session = { ...SESSION, zone: 'America/New_York' };
    desk.facility.board = { ...board(), now, clock };
    await ofPatient('order');
    await desk.at(ids.level('Q5')).check();
    await desk.fill({ 'ordered-by': 'Dr A. Patel', reason: 'for the night' });
  }
  const until = () => (post()?.body as { until: number } | undefined)?.until;

  test('in the night in which clocks go back it is asked which of two times is meant', async () => {
    await endOfOrder(Date.UTC(2026, 10, 1, 3), '23:00');
    await desk.fill({ until: '2026-11-01T01:30' });
    expect(await refused()).toContain('01:30 comes twice then');
    await desk.at(ids.save).click();
    expect(desk.facility.posts).toEqual([]);
    expect(await desk.page.getByText('the second UTC-5, in 3 h 30 min').count()).toBe(1);
    await desk.at(ids.which(1)).check();
    await desk.at(ids.save).click();
    await expect.poll(until).toBe(Date.UTC(2026, 10, 1, 6, 30));
  });

  test('so many hours from now are so many hours, whatever the clocks do', async () => {
    await endOfOrder(Date.UTC(2026, 10, 1, 2, 30), '22:30');
    await desk.at(ids.within('4 h')).click();
    expect(await desk.at(ids.field('until')).inputValue()).toBe('2026-11-01T01:30');
    expect(await desk.at(ids.which(1)).isChecked()).toBe(true);
    await desk.at(ids.save).click();
    await expect.poll(until).toBe(Date.UTC(2026, 10, 1, 6, 30));
  });

  test('in the night in which clocks go forward a time that is left out is none', async () => {
    await endOfOrder(Date.UTC(2026, 2, 8, 4), '23:00');
    await desk.fill({ until: '2026-03-08T02:30' });
    expect(await refused()).toContain('There is no 02:30 then');
    await desk.at(ids.save).click();
    expect(desk.facility.posts).toEqual([]);
    await desk.fill({ until: '2026-03-08T03:30' });
    await desk.at(ids.save).click();
    await expect.poll(until).toBe(Date.UTC(2026, 2, 8, 7, 30));
  });

  test('precautions in force are ticked, and another is added to them', async () => {
    await sit();
    await ofPatient('precautions');
    await expect.poll(() => desk.at(ids.precaution('suicide')).isChecked()).toBe(true);
    await desk.at(ids.precaution('fall')).check();
    await desk.at(ids.save).click();
    await expect.poll(() => post()?.path).toBe('precautions');
    expect((post()?.body as { codes: string[] }).codes).toEqual(['suicide', 'leaving_risk', 'fall']);
  });

  test('off the ward until a time of the facility’s clocks, and back again', async () => {
    await sit();
    await ofPatient('pause');
    await desk.at(ids.field('court')).check();
    await desk.fill({ escort: 'R. Cole', until: '2026-11-22T14:30' });
    await desk.at(ids.save).click();
    await expect.poll(() => post()?.path).toBe('pause');
    expect(post()?.body).toMatchObject({ reason: 'court', return_by: Date.UTC(2026, 10, 22, 19, 30) });
    desk.facility.say({
      cards: desk.facility.board.cards.map((card) =>
        card.bed === '104A' ? { ...card, state: 'paused' as const } : card,
      ),
    });
    await desk.at(ids.act('back')).click();
    await desk.at(ids.save).click();
    await expect.poll(() => post()).toEqual({ path: 'back', body: { ward: 'ward-willow', stay: 'stay-104A' } });
  });

  test('a discharge says that the clock stops, and needs a tick', async () => {
    await sit();
    await ofPatient('discharge');
    await desk.fill({ reason: 'home' });
    expect(await desk.at(ids.save).isDisabled()).toBe(true);
    await desk.at(ids.field('sure')).check();
    await desk.at(ids.save).click();
    await desk.at(ids.row('101A')).waitFor();
    expect(post()).toEqual({
      path: 'discharge',
      body: { ward: 'ward-willow', stay: 'stay-104A', reason: 'home' },
    });
    expect(await desk.at(ids.said).textContent()).toContain('104A has left');
  });
});
