// Every path and link that the documents name must exist. Part of `make check`.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const documents = ['README.md', 'CHANGELOG.md', ...readdirSync(join(root, 'docs'), { recursive: true }).map((f) => `docs/${f}`)].filter((f) =>
  f.endsWith('.md'),
);
const missing = documents.flatMap((file) => {
  const text = readFileSync(join(root, file), 'utf8');
  const paths = [...text.matchAll(/`((?:crates|src-tauri|ui|tests|docs|scripts|icons)\/[\w./-]+)`/g)].map((m) => m[1]);
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((m) => join(dirname(file), m[1]));
  return [...paths, ...links].filter((path) => !existsSync(join(root, path))).map((path) => `${file} names ${path}`);
});
for (const line of missing) console.error(`check-docs: ${line}, which does not exist`);
process.exit(missing.length ? 1 : 0);
