import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, inject } from 'vitest';
import { ids } from '../src/tablet/testids';

/** The system's own browser; nothing is downloaded. */
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
export const SIZES = { landscape: { width: 1280, height: 800 }, portrait: { width: 800, height: 1280 } };

type Call = { command: string; args: Record<string, unknown> };
/** What a test can do to the invented program. */
type Fixture = {
  setFull: (full: boolean) => void;
  pass: (ms: number) => void;
  kept: () => string[];
  leaves: (bed: string) => void;
  refuse: (command: string, is?: boolean) => void;
  end: (record: string) => void;
  calls: () => Call[];
  urgent: (bed: string) => void;
  concern: (bed: string) => void;
  hang: () => void;
  lock: () => void;
};

let browser: Browser;
let context: BrowserContext | undefined;

/** One browser for the tests of a file, and a fresh page for each. */
export function withBrowser(): void {
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
    });
  });
  afterEach(async () => {
    await context?.close();
    context = undefined;
  });
  afterAll(() => browser.close());
}

/** `watch` is given the page before it is opened. */
export async function open(
  query: string,
  size: { width: number; height: number } = SIZES.landscape,
  watch: (page: Page) => void = () => undefined,
): Promise<Page> {
  context = await browser.newContext({ viewport: size, reducedMotion: 'reduce' });
  const page = await context.newPage();
  watch(page);
  await page.goto(`${inject('origin')}/tablet/index.html?${query}`);
  return page;
}

export const at = (page: Page, id: string) => page.getByTestId(id);
export const alive = (page: Page) => page.locator('body:not([data-dead])').waitFor();
export const screen = (page: Page, name: string) => page.locator(`body[data-screen="${name}"]`).waitFor();

/** Does something to the invented program. */
export async function program<K extends keyof Fixture>(
  page: Page,
  act: K,
  ...args: Parameters<Fixture[K]>
): Promise<void> {
  await page.evaluate(
    ([act, args]) => {
      const { fixture } = window as unknown as { fixture: Record<string, (...args: unknown[]) => unknown> };
      fixture[act]?.(...args);
    },
    [act, args] as [string, unknown[]],
  );
}
export const calls = (page: Page): Promise<Call[]> =>
  page.evaluate(() => (window as unknown as { fixture: { calls: () => Call[] } }).fixture.calls());
export const asked = async (page: Page, command: string) =>
  (await calls(page)).filter((one) => one.command === command).map((one) => one.args);
/** Until the invented program has kept a half-made thing with these words. */
export const kept = (page: Page, words: string) =>
  page.waitForFunction(
    (words) =>
      (window as unknown as { fixture: { kept: () => string[] } }).fixture.kept().some((one) => one.includes(words)),
    words,
  );
export const saves = (page: Page) => asked(page, 'save');

export async function pad(page: Page, bed: string): Promise<void> {
  await at(page, ids.card(bed)).click();
  await at(page, ids.activity('calm')).waitFor();
}
export async function check(page: Page, bed: string): Promise<void> {
  await pad(page, bed);
  await at(page, ids.place('hallway')).click();
  await at(page, ids.activity('calm')).click();
}
export async function signIn(page: Page, given: string): Promise<void> {
  await screen(page, 'locked');
  await at(page, ids.person(given, '')).click();
  await page.keyboard.type('246810');
  await screen(page, 'board');
}
