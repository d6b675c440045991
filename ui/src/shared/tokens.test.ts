import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const css = readFileSync(new URL('tokens.css', import.meta.url), 'utf8');

function colours(block: string): Record<string, string> {
  return Object.fromEntries([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map((m) => [m[1], m[2]]));
}
const [night = '', day = ''] = [...css.matchAll(/:root[^{]*\{([^}]*)\}/g)].map((m) => m[1] ?? '');
const themes = { night: colours(night), day: { ...colours(night), ...colours(day) } };

/** WCAG 2.2 relative luminance and contrast ratio. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5]
    .map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

describe.each(Object.entries(themes))('%s', (_, theme) => {
  const pairs = [
    ...['ok', 'due', 'over', 'unknown', 'away'].flatMap((status) =>
      [`${status}-bg`, 'surface', 'bg'].map((ground) => [status, ground, 7] as const),
    ),
    ...['ok', 'due', 'over', 'unknown', 'away'].map((status) => ['text', `${status}-bg`, 7] as const),
    ...['bg', 'surface', 'raised'].map((ground) => ['text', ground, 7] as const),
    ...['bg', 'surface', 'raised', 'due-bg', 'over-bg', 'unknown-bg', 'away-bg', 'emergency'].map(
      (ground) => ['muted', ground, 4.5] as const,
    ),
    ['accent', 'bg', 4.5],
    ['accent', 'surface', 4.5],
    ['chosen-text', 'chosen', 7],
    ['go-text', 'go', 7],
    ['text', 'found', 7],
    ['over', 'emergency', 7],
    ['due', 'told', 7],
  ] as const;
  test.each(pairs)('%s on %s is at least %d:1', (ink, ground, least) => {
    const [a, b] = [theme[ink], theme[ground]];
    expect(a && b && contrast(a, b)).toBeGreaterThanOrEqual(least);
  });
});
