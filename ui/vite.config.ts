import { svelte } from '@sveltejs/vite-plugin-svelte';
import { resolve } from 'node:path';
import { defineConfig } from 'vite';

// Two pages over shared parts: dist/tablet/index.html for the window, dist/station/index.html for the facility server.
export default defineConfig({
  base: '/',
  plugins: [svelte()],
  publicDir: false,
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: ['es2022', 'safari16'],
    // The content security policy allows no data: URLs and no inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: {
        tablet: resolve(import.meta.dirname, 'tablet/index.html'),
        station: resolve(import.meta.dirname, 'station/index.html'),
      },
    },
  },
});
