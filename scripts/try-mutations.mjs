// Breaks the product in one place at a time and looks whether the test that guards it fails:
// `node scripts/try-mutations.mjs` for all (about a minute each), or with a part of a name. Only over a checkout without
// changes; each file is put back. The list of docs/faults.md.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const faults = (...tests) => `package(lamplight-tests) & binary(faults) & (${tests.map((t) => `test(${t})`).join(' | ')})`;
const tablet = 'crates/tablet/src';
const server = 'crates/server/src';
const EITHER = faults('either_of_the_two_copies');
const CUT = faults('a_power_cut_after_any_call_of_a_tablet');
const CALLS = faults('a_server_whose_nth_call');

/** name; file, what stands there, what is put in its place (one or more); tests of which at least one must fail */
const mutations = [
  ['skip the fsync of the records file', [[`${tablet}/file/open.rs`, 'PRAGMA synchronous = FULL;', 'PRAGMA synchronous = NORMAL;']], EITHER],
  ['skip the fsync of the second copy', [[`${tablet}/second_copy.rs`, '.and_then(|()| disk::sync_data(&self.file));', ';']], EITHER],
  ['skip the fsync of a second copy that is begun', [[`${tablet}/second_copy.rs`, 'disk::sync(&copy.file)?;', '']], faults('begun_anew')],
  ['skip the fsync of its folder', [[`${tablet}/second_copy.rs`, 'disk::sync_folder(dir)?;', '']], EITHER],
  ['skip the fsync of the key file', [[`${tablet}/keys/mod.rs`, '    disk::sync(&file)?;\n', '']], CUT],
  ["skip the fsync of what names the tablet's folder", [[`${tablet}/tablet.rs`, 'disk::sync_folder(above)', 'Ok(())']], CUT],
  ["skip the fsync of the server's file", [[`${server}/store/mod.rs`, '"synchronous", "full"', '"synchronous", "normal"']], faults('a_power_cut_after_any_call_of_the_server')],
  ['skip the second copy', [[`${tablet}/pen.rs`, 'pen.copy.add(links).map_err(|e| Broken::of_io(&e))', '{\n        let _ = links;\n        Ok(())\n    }']], EITHER],
  ['commit before the second copy', [[`${tablet}/pen.rs`, 'if let Err(broken) = self.copy(&mut pen, &links) {', 'let early = self.records.write(|to| write(to, &links));\n        if let Err(broken) = early.and_then(|()| self.copy(&mut pen, &links)) {'], [`${tablet}/pen.rs`, '            write(to, &links)?;\n', '']], faults('both_copies_are_synced', 'a_tablet_whose_nth_call')],
  ['ask to join before the key is kept', [[`${tablet}/sync/join.rs`, 'self.identity_file.write(|to| identity::set_joining(to, &seed))?;', '']], faults('of_both_machines', 'a_joining_whose')],
  ['keep who it is before its roster', [[`${tablet}/sync/join.rs`, 'inner.keep_roster(&identity, roster)?;', 'inner.set_identity(identity.clone()).map_err(super::push::local)?;\n            inner.keep_roster(&identity, roster)?;']], CUT],
  ['drop the uniqueness of bodies by hash', [[`${server}/store/schema.sql`, 'hash        BLOB NOT NULL UNIQUE,', 'hash        BLOB NOT NULL,'], [`${server}/store/bodies.rs`, ' ON CONFLICT (hash) DO NOTHING', '']], faults('two_clones', 'both_go_back')],
  ["drop the tablet's look for its own id", [[`${tablet}/record.rs`, 'match entry.id.and_then(|id| self.saved_before(id).transpose()).transpose()? {', 'match entry.id.and_then(|id| self.saved_before(id).transpose()).transpose()?.filter(|_| false) {']], 'test(saving_a_draft_twice_saves_it_once)'],
  ['number the feed outside its transaction', [
    [`${server}/store/filing.rs`, 'pub struct Filing<', 'type Ends = std::sync::Mutex<Option<HashMap<WardNo, End>>>;\nstatic ENDS: Ends = std::sync::Mutex::new(None);\n\npub struct Filing<'],
    [`${server}/store/filing.rs`, 'let end = feed::end(self.db, no)?;', 'let read = feed::end(self.db, no)?;\n        let end = *ENDS.lock().unwrap().get_or_insert_default().entry(no).or_insert(read);'],
    [`${server}/store/filing.rs`, 'found.observed_at)?;\n        self.feeds.insert(ward, (no, end));', 'found.observed_at)?;\n        ENDS.lock().unwrap().get_or_insert_default().insert(no, end);\n        self.feeds.insert(ward, (no, end));'],
  ], faults('a_server_that_the_kernel_stops')],
  ['confirm before commit', [[`${server}/store/writer.rs`, '    failpoint!("push.before-commit");', '    for after in std::mem::take(&mut afters) {\n        after(Ok(()));\n    }\n    failpoint!("push.before-commit");']], faults('a_server_whose_nth_call', 'the_log_is_synced')],
  ["take a fork's head for confirmation", [[`${tablet}/sync/push.rs`, 'if own != Some(receipt.head.hash) {', 'if own.is_none() {']], faults('two_clones', 'both_go_back')],
  ['count a late entry as a check', [['crates/domain/src/ward/log.rs', 'record.body.envelope.observed_at == record.body.envelope.recorded_at', 'record.body.envelope.observed_at <= record.body.envelope.recorded_at']], 'package(lamplight-domain) & test(a_late_entry_closes_no_gap)'],
  ['take damage for a want of memory', [[`${tablet}/file/broken.rs`, 'ErrorCode::OutOfMemory => Broken::Damaged(named),', '']], faults('any_damaged_page')],
];

// Only what these tests run, of the whole workspace, so that no dependency is built with other features.
const targets = ['--locked', '--workspace', '--test', 'faults', '--test', 'sync', '--test', 'ward'];
const build = () =>
  spawnSync('cargo', ['build', ...targets, '--bin', 'lamplight-server', '--bin', 'lamplight-sim'], { encoding: 'utf8' });
const changed = execFileSync('git', ['status', '--porcelain', '--', 'crates'], { encoding: 'utf8' }).trim();
if (changed !== '') {
  console.error('crates/ has changes: commit them or set them aside first.');
  process.exit(2);
}
let unnoticed = 0;
for (const [name, edits, tests] of mutations.filter(([name]) => name.includes(process.argv[2] ?? ''))) {
  const sound = new Map(edits.map(([file]) => [file, readFileSync(file, 'utf8')]));
  try {
    for (const [file, from, to] of edits) {
      const text = readFileSync(file, 'utf8');
      if (!text.includes(from)) throw new Error(`${file} reads otherwise now`);
      writeFileSync(file, text.replace(from, () => to));
    }
    const built = build();
    if (built.status !== 0) throw new Error(`it does not build: ${built.stderr.slice(-1200)}`);
    const run = spawnSync('cargo', ['nextest', 'run', ...targets, '--no-fail-fast', '-E', tests], { encoding: 'utf8' });
    const failed = [...run.stderr.matchAll(/^\s+(?:FAIL|SIGABRT|TIMEOUT) \[.*?\] (?:\(.*?\) )?(.*)$/gm)].map((m) => m[1].trim());
    unnoticed += failed.length === 0 ? 1 : 0;
    console.log(failed.length > 0 ? `noticed    ${name}: ${[...new Set(failed)].join(', ')}` : `UNNOTICED  ${name}`);
  } catch (error) {
    unnoticed += 1;
    console.log(`NOT TRIED  ${name}: ${error.message}`);
  } finally {
    for (const [file, text] of sound) writeFileSync(file, text);
  }
}
build();
process.exit(unnoticed === 0 ? 0 : 1);
