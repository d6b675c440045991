// Breaks the product in one place at a time and looks whether the test that guards it fails: `node
// scripts/try-mutations.mjs` for all, or with a part of a name. Only over a clean checkout; each file is put back.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const faults = (test) => `package(lamplight-tests) & binary(faults) & test(${test})`;
const one = 'either_of_the_two_copies';
const cut = 'a_power_cut_after_any_call_of_a_tablet';

/** name, file, what stands there, what is put in its place, tests of which at least one must fail */
export const mutations = [
  ['skip the fsync of the records file', 'crates/tablet/src/file/open.rs', 'PRAGMA synchronous = FULL;', 'PRAGMA synchronous = NORMAL;', faults(one)],
  ['skip the fsync of the second copy', 'crates/tablet/src/second_copy.rs', '.and_then(|()| disk::sync_data(&self.file));', ';', faults(one)],
  ['skip the fsync of a second copy that is begun', 'crates/tablet/src/second_copy.rs', 'disk::sync(&copy.file)?;', '', faults('begun_anew')],
  ['skip the fsync of its folder', 'crates/tablet/src/second_copy.rs', 'disk::sync_folder(dir)?;', '', faults(one)],
  ['skip the fsync of the key file', 'crates/tablet/src/keys.rs', '    disk::sync(&file)?;\n', '', faults(cut)],
  ['skip the fsync of the key\'s folder', 'crates/tablet/src/keys.rs', 'disk::sync_folder(dir)', 'Ok(())', faults(cut)],
  ['skip the fsync of the tablet\'s folder\'s name', 'crates/tablet/src/tablet.rs', 'disk::sync_folder(above)', 'Ok(())', faults(cut)],
  ['skip the fsync of the server\'s file', 'crates/server/src/store/mod.rs', 'db.pragma_update(None, "synchronous", "full")?;', 'db.pragma_update(None, "synchronous", "normal")?;', faults('a_power_cut_after_any_call_of_the_server')],
  ['skip the second copy', 'crates/tablet/src/pen.rs', 'pen.copy.add(links).map_err(|e| Broken::of_io(&e))', '{ let _ = links; Ok(()) }', faults(one)],
  ['ask to join before the key is kept', 'crates/tablet/src/sync/join.rs', 'self.identity_file.write(|to| identity::set_joining(to, &seed))?;', '', faults('of_both_machines')],
  ['keep who it is before its roster', 'crates/tablet/src/sync/join.rs', '            inner.keep_roster(&identity, roster)?;\n            inner.set_identity(identity).map_err(super::push::local)?;', '            inner.set_identity(identity.clone()).map_err(super::push::local)?;\n            inner.keep_roster(&identity, roster)?;', faults(cut)],
];

const build = () => spawnSync('cargo', ['build', '--locked', '--workspace', '--all-targets'], { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });

if (execFileSync('git', ['status', '--porcelain', '--', 'crates', 'src-tauri'], { encoding: 'utf8' }).trim() !== '') {
  console.error('The checkout has changes in crates/: commit or set them aside first.');
  process.exit(2);
}
const wanted = process.argv[2] ?? '';
let unnoticed = 0;
for (const [name, file, from, to, tests] of mutations.filter(([name]) => name.includes(wanted))) {
  const sound = readFileSync(file, 'utf8');
  if (!sound.includes(from)) {
    console.log(`GONE       ${name}: ${file} reads otherwise now`);
    unnoticed += 1;
    continue;
  }
  try {
    writeFileSync(file, sound.replace(from, () => to));
    const built = build();
    if (built.status !== 0) {
      console.log(`NOT BUILT  ${name}\n${built.stderr.slice(-1500)}`);
      unnoticed += 1;
      continue;
    }
    const run = spawnSync('cargo', ['nextest', 'run', '--locked', '--workspace', '--no-fail-fast', '-E', tests], { encoding: 'utf8' });
    const failed = [...new Set([...run.stderr.matchAll(/^\s+(?:FAIL|SIGABRT|TIMEOUT) \[.*?\] (?:\(.*?\) )?(.*)$/gm)].map((m) => m[1].trim()))];
    if (failed.length === 0) unnoticed += 1;
    console.log(failed.length > 0 ? `noticed    ${name}: ${failed.join(', ')}` : `UNNOTICED  ${name}`);
  } finally {
    writeFileSync(file, sound);
  }
}
build();
process.exit(unnoticed === 0 ? 0 : 1);
