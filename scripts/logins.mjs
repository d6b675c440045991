// Prints what `lamplight-server demo` said about its invented people as a table. usage: logins.mjs LOGINS.JSONL URL
import { readFileSync } from 'node:fs';

const [file, url] = process.argv.slice(2);
const gather = (value) =>
  value?.pin ? [value] : value && typeof value === 'object' ? Object.values(value).flatMap(gather) : [];
const people = readFileSync(file, 'utf8')
  .split('\n')
  .filter(Boolean)
  .flatMap((line) => gather(JSON.parse(line)));
const cell = (text, width) => String(text ?? '').padEnd(width);

console.log('\nDemo ward: all people are invented.\n');
console.log(`  ${cell('sign in on the tablet as', 26)}${cell('', 14)}PIN`);
const carers = people.filter((p) => !['manager', 'administrator'].includes(p.role));
for (const p of carers) console.log(`  ${cell(p.name, 26)}${cell(p.role.replace('_', ' '), 14)}${p.pin}`);
const nurses = people.filter((p) => p.password);
console.log(`\nNursing station: ${url}/station/  (its certificate is the facility's own: the browser will warn)`);
for (const p of nurses) console.log(`  ${cell(p.login, 26)}${p.password}`);
console.log();
