import { resolve } from 'node:path';
import { build } from 'vite';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    pages: string;
  }
}

/** Builds the station's pages with the build's own settings, into a folder of the tests. */
export default async function pages(project: TestProject): Promise<void> {
  const ui = resolve(import.meta.dirname, '../..');
  const outDir = resolve(ui, 'node_modules/.cache/station-pages');
  await build({
    configFile: resolve(ui, 'vite.config.ts'),
    root: ui,
    logLevel: 'error',
    build: { outDir, rolldownOptions: { input: { station: resolve(ui, 'station/index.html') } } },
  });
  project.provide('pages', outDir);
}
