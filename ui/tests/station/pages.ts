import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'vite';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    pages: string;
  }
}

/** Builds the station's pages with the build's own settings, into a folder of this run alone. */
export default async function pages(project: TestProject): Promise<() => void> {
  const ui = resolve(import.meta.dirname, '../..');
  const outDir = mkdtempSync(join(tmpdir(), 'lamplight-station-'));
  await build({
    configFile: resolve(ui, 'vite.config.ts'),
    root: ui,
    logLevel: 'error',
    build: { outDir, emptyOutDir: true, rolldownOptions: { input: { station: resolve(ui, 'station/index.html') } } },
  });
  project.provide('pages', outDir);
  return () => {
    rmSync(outDir, { recursive: true, force: true });
  };
}
