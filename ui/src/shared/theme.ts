import type { Theme } from './bindings/commands';

/** Shows a theme at once, also to the browser's own parts (scroll bars, form fields, the ground before the first paint). */
export function showTheme(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme;
  document.querySelector('meta[name="color-scheme"]')?.setAttribute('content', theme === 'night' ? 'dark' : 'light');
}
