// Values reach a statement as bound parameters only. What is put into the text of one may be a constant (IN_CAPITALS) or
// stand below, with what it can be. Part of `make check`.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
/** file: name of what is put in: what it can be */
const known = {
  'crates/tablet/src/file/receipts.rs': { which: 'conditions that stand there' },
  'crates/tablet/src/file/bodies.rs': { condition: 'conditions that stand in that file', of_ward: 'the same' },
  'crates/tablet/src/file/open.rs': { name: 'a table of the file itself', pragma: 'pragmas that stand there' },
  'crates/server/src/commands/verify/chains.rs': { table: 'three tables that stand there' },
  'crates/server/src/store/reach.rs': { which: 'conditions that stand there' },
  'crates/server/src/store/upgrade.rs': { name: 'a table of the file itself' },
};

const files = ['tablet', 'server', 'domain']
  .flatMap((of) => readdirSync(join(root, 'crates', of, 'src'), { recursive: true }).map((f) => `crates/${of}/src/${f}`))
  .concat(readdirSync(join(root, 'src-tauri/src')).map((f) => `src-tauri/src/${f}`))
  .filter((f) => f.endsWith('.rs') && !/(^|\/|_)tests(\.rs$|\/)/.test(f));
const wrong = [];
let statements = 0;
for (const file of files) {
  const product = readFileSync(join(root, file), 'utf8').split('#[cfg(test)]\nmod tests')[0];
  for (const [, text] of product.matchAll(/(?:format|concat|write)!\((?:\s*\w+,)?\s*r?#*"((?:[^"\\]|\\.)*)"/g)) {
    if (!/\b(SELECT .*FROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM|PRAGMA|DROP|CREATE TABLE|ATTACH|WHERE|ORDER BY|(?:AND|OR) \w+ (?:[<>=]|IN|IS))/s.test(text)) continue;
    statements += 1;
    for (const [, name] of text.replaceAll('{{', '').matchAll(/\{([^}]*)\}/g)) {
      const isKnown = /^[A-Z_]+$/.test(name) || known[file]?.[name] !== undefined;
      if (!isKnown) wrong.push(`${file}: {${name}} is put into the text of a statement: ${text.slice(0, 80)}`);
    }
  }
}
for (const line of wrong) console.error(`check-sql: ${line}`);
if (statements === 0) console.error('check-sql: no statement was found, so nothing was looked at');
process.exit(wrong.length > 0 || statements === 0 ? 1 : 0);
