import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('the first frame of the tablet is dark before any style has loaded', () => {
  const page = readFileSync(new URL('../../tablet/index.html', import.meta.url), 'utf8');
  expect(page).toContain('<meta name="color-scheme" content="dark" />');
  expect(page.indexOf('color-scheme')).toBeLessThan(page.indexOf('<script'));
});
