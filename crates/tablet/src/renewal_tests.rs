//! A fresh key takes the present one's place: everything goes over, nobody is locked out, and what fails costs no round.

use crate::file::rekey::opens;
use crate::file::{aside, lock};
use crate::keys::{DeviceKey, next};
use crate::second_copy;
use crate::tablet::{IDENTITY_FILE, RECORDS_FILE, Tablet};
use crate::testing::{HandClock, call, facility, facility_key, joined, open, sign_in, technician};
use lamplight_domain::chain::{DecryptionKey, Renewal, Trust};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::Auth;
use lamplight_domain::time::Ms;
use lamplight_domain::wire::{NEXT_FILE, RECOVERY_FILE, Recovery};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

const FILES: [&str; 2] = [RECORDS_FILE, IDENTITY_FILE];

fn facilitys() -> DecryptionKey {
    DecryptionKey::from_secret([4; 32])
}

/// The facility asks for fresh keys with its nth word.
fn asked(tablet: &Tablet, nth: i64) {
    let said = Trust::sign(&facility_key(), facility(), Ms(nth), &[b"an authority"], facilitys().public());
    let said = said.with_renewal(Some(Renewal::sign(&facility_key(), facility(), Ms(nth))));
    tablet.0.take_trust(said).unwrap();
}

fn record(tablet: &Tablet) {
    let event = Event::Note { words: "the ward is quiet".to_owned() };
    tablet.record(Some(technician()), Auth::Pin, None, None, event, None).unwrap();
}

fn head(tablet: &Tablet) -> u64 {
    lock(&tablet.0.pen).as_ref().unwrap().head.seq
}

fn sealed(dir: &Path) -> DeviceKey {
    let kept: Recovery = serde_json::from_slice(&std::fs::read(dir.join(RECOVERY_FILE)).unwrap()).unwrap();
    let key = kept.open(&facilitys()).unwrap();
    // By way of a folder: a device key is made of nothing else.
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("device.key"), *key).unwrap();
    DeviceKey::of(other.path(), false).unwrap()
}

fn reopen(dir: &Path, clock: &Arc<HandClock>, before: Tablet) -> Tablet {
    drop(before);
    open(dir, clock)
}

fn assert_all_under(dir: &Path, key: &DeviceKey, former: &DeviceKey) {
    for name in FILES {
        assert!(opens(&dir.join(name), key) && !opens(&dir.join(name), former), "{name}");
    }
    assert!(second_copy::is_whole(dir, key).unwrap() && !second_copy::is_whole(dir, former).unwrap());
    assert!(sealed(dir).is(key), "the facility opens them by the fresh one");
    assert!(!dir.join(NEXT_FILE).exists());
    for file in std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).filter(|path| path.is_file()) {
        let (bytes, raw) = (std::fs::read(&file).unwrap(), former.pragma());
        let raw = hex::decode(&raw[2..66]).unwrap();
        assert!(!bytes.windows(32).any(|w| w == raw), "{} holds the former key", file.display());
    }
}

#[tokio::test]
async fn a_fresh_key_opens_everything_at_the_next_start_and_the_former_one_nothing() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = joined(dir.path(), &clock, 1);
    (0..3).for_each(|_| record(&tablet));
    let former = tablet.0.key.clone();
    asked(&tablet, 5);
    assert!(dir.path().join(NEXT_FILE).exists());
    record(&tablet);
    assert!(FILES.iter().all(|name| opens(&dir.path().join(name), &former)), "nothing goes over while it works");
    let before = head(&tablet);
    let tablet = reopen(dir.path(), &clock, tablet);
    let key = tablet.0.key.clone();
    assert!(!key.is(&former));
    assert_all_under(dir.path(), &key, &former);
    assert_eq!((head(&tablet), tablet.0.identity().unwrap().renewed), (before + 1, Some(Ms(5))), "a line of audit");
    // Nobody needs a new PIN, and a wrong one is wrong.
    let wrong = call(&tablet, "sign_in", json!({ "staff": technician(), "pin": "000000" })).await;
    assert_eq!(wrong.unwrap_err(), "pin.wrong");
    sign_in(&tablet, technician()).await;
    record(&tablet);
    let tablet = reopen(dir.path(), &clock, tablet);
    assert!(tablet.0.key.is(&key), "once for each time that it is asked");
    assert!(crate::verify(dir.path()).is_err(), "in use");
    asked(&tablet, 6);
    let tablet = reopen(dir.path(), &clock, tablet);
    assert_all_under(dir.path(), &tablet.0.key, &key);
    drop(tablet);
    assert_eq!(crate::verify(dir.path()).unwrap().broken, 0);
}

#[test]
fn a_word_that_was_followed_or_is_not_of_the_facility_begins_nothing() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = joined(dir.path(), &clock, 1);
    let said = Trust::sign(&facility_key(), facility(), Ms(3), &[b"an authority"], facilitys().public());
    let strangers = Renewal::sign(&lamplight_domain::chain::SigningKey::from_seed(&[66; 32]), facility(), Ms(3));
    assert!(tablet.0.take_trust(said.clone().with_renewal(Some(strangers))).is_err());
    tablet.0.take_trust(said.clone()).unwrap();
    assert!(!dir.path().join(NEXT_FILE).exists(), "nobody asked");
    asked(&tablet, 5);
    let tablet = reopen(dir.path(), &clock, tablet);
    let later = Trust::sign(&facility_key(), facility(), Ms(9), &[b"an authority"], facilitys().public());
    tablet.0.take_trust(later.with_renewal(Some(Renewal::sign(&facility_key(), facility(), Ms(5))))).unwrap();
    assert!(!dir.path().join(NEXT_FILE).exists(), "the facility's keys changed, and it asked no more than before");
}

#[test]
fn a_file_that_cannot_go_over_stays_under_the_former_key_and_the_tablet_works_on() {
    for damaged in FILES {
        let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
        let tablet = joined(dir.path(), &clock, 1);
        (0..3).for_each(|_| record(&tablet));
        asked(&tablet, 5);
        let (former, before) = (tablet.0.key.clone(), head(&tablet));
        drop(tablet);
        let path = dir.path().join(damaged);
        let sound = std::fs::read(&path).unwrap();
        let mut bytes = sound.clone();
        bytes[20..60].fill(7);
        std::fs::write(&path, &bytes).unwrap();
        let tablet = open(dir.path(), &clock);
        assert!(tablet.0.key.is(&former) && sealed(dir.path()).is(&former), "{damaged}");
        assert!(dir.path().join(NEXT_FILE).exists(), "{damaged}: it goes on with it");
        assert!(head(&tablet) >= before, "{damaged}: nothing is lost");
        record(&tablet);
        let at = head(&tablet);
        drop(tablet);
        assert_eq!(crate::verify(dir.path()).unwrap().broken, 0, "{damaged}: under two keys");
        let tablet = open(dir.path(), &clock);
        let key = tablet.0.key.clone();
        assert_all_under(dir.path(), &key, &former);
        assert!(head(&tablet) > at);
        // What was set aside meanwhile is under the former key, which the present one opens.
        let away = std::fs::read_dir(dir.path().join("set-aside")).unwrap().next().unwrap().unwrap().path();
        std::fs::write(away.join(damaged), &sound).unwrap();
        assert!(!opens(&away.join(damaged), &key));
        let file = if damaged == RECORDS_FILE { &tablet.0.records } else { &tablet.0.identity_file };
        let tables = file.salvage(&away, |from| from.query_row("SELECT count(*) FROM sqlite_schema", (), |r| r.get(0)));
        assert!(tables.is_ok_and(|n: i64| n > 0), "{damaged}");
        // And so after the next fresh key.
        asked(&tablet, 6);
        let tablet = reopen(dir.path(), &clock, tablet);
        assert_eq!(next::former(dir.path(), &tablet.0.key).len(), 2, "{damaged}");
        assert!(aside::is_any(dir.path()));
    }
}

#[test]
fn what_a_disk_that_failed_left_of_the_next_key_goes_with_the_next_start() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = joined(dir.path(), &clock, 1);
    asked(&tablet, 5);
    let length = std::fs::metadata(dir.path().join(NEXT_FILE)).unwrap().len();
    let tablet = reopen(dir.path(), &clock, tablet);
    let key = tablet.0.key.clone();
    // Overwritten, and not removed.
    std::fs::write(dir.path().join(NEXT_FILE), vec![0; length as usize]).unwrap();
    let tablet = reopen(dir.path(), &clock, tablet);
    assert!(tablet.0.key.is(&key) && !dir.path().join(NEXT_FILE).exists());
}

#[test]
fn a_second_copy_that_is_damaged_is_begun_anew_first() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = joined(dir.path(), &clock, 1);
    (0..3).for_each(|_| record(&tablet));
    asked(&tablet, 5);
    let former = tablet.0.key.clone();
    drop(tablet);
    let path = dir.path().join(second_copy::FILE);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[70..100].fill(7);
    std::fs::write(&path, &bytes).unwrap();
    let tablet = open(dir.path(), &clock);
    assert!(tablet.0.key.is(&former), "both copies under the key that they were under");
    let tablet = reopen(dir.path(), &clock, tablet);
    assert_all_under(dir.path(), &tablet.0.key, &former);
}
