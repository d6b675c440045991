import { svelte } from '@sveltejs/vite-plugin-svelte';
import { resolve } from 'node:path';
import { defineConfig } from 'vite';

const here = import.meta.dirname;

// The tablet's page over an invented ward instead of the program, to look at every screen. Never part of the app's build.
export default defineConfig({
  root: resolve(here, '..'),
  base: '/',
  plugins: [svelte()],
  publicDir: false,
  resolve: {
    alias: {
      '@tauri-apps/api/core': resolve(here, 'fixture/core.ts'),
      '@tauri-apps/api/event': resolve(here, 'fixture/event.ts'),
    },
  },
  build: {
    outDir: resolve(here, '../node_modules/.cache/screens'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: { tablet: resolve(here, '../tablet/index.html') } },
  },
});
