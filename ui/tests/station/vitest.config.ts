import { defineConfig } from 'vitest/config';

// The station's pages as they are shipped, in a real Chromium over an invented facility; run with `npm run test:station`.
export default defineConfig({
  test: {
    include: ['tests/station/**/*.browser.ts'],
    globalSetup: ['tests/station/pages.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
