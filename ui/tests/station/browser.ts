import AxeBuilder from '@axe-core/playwright';
import { mkdirSync } from 'node:fs';
import { env } from 'node:process';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { ids } from '../../src/station/testids';
import type { StationSession } from '../../src/shared/bindings/station';
import { Facility } from './facility';
import { ADMINISTRATOR } from './office';

/** The system's own browser; nothing is downloaded. */
const CHROMIUM = env['CHROMIUM'] ?? '/usr/bin/chromium';
/** With a folder here, every page leaves a picture in it. */
const PICTURES = env['LAMPLIGHT_PICTURES'];

export const SIZES = {
  wide: { width: 1440, height: 900 },
  small: { width: 1024, height: 768 },
  desk: { width: 1280, height: 800 },
  big: { width: 1920, height: 1080 },
  /** 1280 x 800 at 200 %. */
  zoomed: { width: 640, height: 400 },
};
export type Size = keyof typeof SIZES;

/** A browser over an invented facility, both for one test. */
export class Desk {
  readonly errors: string[] = [];
  private constructor(
    readonly facility: Facility,
    readonly context: BrowserContext,
    readonly page: Page,
  ) {}

  static async open(browser: Browser, pages: string, size: Size, more: BrowserContextOptions = {}): Promise<Desk> {
    const facility = await Facility.open(pages);
    const context = await browser.newContext({ viewport: SIZES[size], reducedMotion: 'reduce', ...more });
    const desk = new Desk(facility, context, await context.newPage());
    desk.page.on('pageerror', (error) => desk.errors.push(error.message));
    desk.page.on('console', (message) => {
      // The browser notes every answer above 399 and every cut connection by itself.
      const own = /favicon|Failed to load resource|net::ERR/.test(message.text());
      if (message.type() === 'error' && !own) desk.errors.push(message.text());
    });
    return desk;
  }

  at(id: string) {
    return this.page.getByTestId(id);
  }

  /** Straight to the board, as a page that was loaded again while somebody is logged in. */
  async board(): Promise<void> {
    this.facility.loggedIn = true;
    await this.page.goto(this.facility.url);
    await this.at(ids.tile('overdue')).waitFor();
  }

  /** As somebody who is logged in already. */
  async office(session: StationSession = ADMINISTRATOR): Promise<void> {
    this.facility.session = session;
    this.facility.loggedIn = true;
    await this.page.goto(this.facility.url);
    await this.at(ids.logout).waitFor();
  }

  async fill(fields: Record<string, string>): Promise<void> {
    for (const [name, text] of Object.entries(fields)) await this.at(ids.field(name)).fill(text);
  }

  async close(): Promise<void> {
    await this.context.close();
    await this.facility.close();
  }

  async picture(name: string): Promise<void> {
    if (PICTURES === undefined) return;
    mkdirSync(PICTURES, { recursive: true });
    await this.page.screenshot({ path: `${PICTURES}/${name}.png` });
  }

  /** No serious finding of the scan, nothing past the right edge, targets of 48 px, nothing that the policy refused. */
  async isSound(): Promise<void> {
    const found = await new AxeBuilder({ page: this.page }).analyze();
    const serious = found.violations
      .filter((one) => one.impact === 'serious' || one.impact === 'critical')
      .map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(', ')}`);
    expect(serious).toEqual([]);
    expect(await this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    // At 200 % a table may be scrolled within its own box, as WCAG has it; the page may not.
    const zoomed = this.page.viewportSize()?.width === SIZES.zoomed.width;
    expect(await this.page.evaluate(cutOff, zoomed)).toEqual([]);
    expect(await this.page.evaluate(smallTargets)).toEqual([]);
    expect(this.errors).toEqual([]);
  }
}

export const launch = () =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });

/** What ends right of the window, or is wider than the box that scrolls it. */
function cutOff(tablesMay: boolean): string[] {
  const boxes = [...document.querySelectorAll('main, section, .scroll, header, li')];
  return boxes
    .filter((box) => !(tablesMay && box.matches('.scroll')))
    .filter((box) => box.scrollWidth > box.clientWidth + 1 || box.getBoundingClientRect().right > innerWidth + 1)
    .map((box) => `${box.tagName} ${box.className} ${String(box.scrollWidth)} > ${String(box.clientWidth)}`);
}

/** Buttons and fields in sight under 48 px. In the board the whole row is the target. */
function smallTargets(): string[] {
  const inFront = document.querySelector('dialog[open]') ?? document.body;
  return [...inFront.querySelectorAll('button, input, select, textarea')]
    .filter((one) => one.closest('tbody') === null)
    .map((one) => ({ one, box: one.getBoundingClientRect() }))
    .filter(({ box }) => box.width > 0 && (box.width < 47.5 || box.height < 47.5))
    .map(({ one, box }) => `${one.textContent} ${String(Math.round(box.width))}x${String(Math.round(box.height))}`);
}
