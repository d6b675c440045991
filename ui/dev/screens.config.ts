import { defineConfig } from 'vitest/config';

// Every screen in a real Chromium over the invented ward; run with `npm run test:screens`.
export default defineConfig({
  test: {
    include: ['dev/**/*.screens.ts'],
    globalSetup: ['dev/serve.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
