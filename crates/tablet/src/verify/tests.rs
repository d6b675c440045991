//! One row of one table at a time is changed by somebody who has the key of the folder: the finding names that record.

use super::{Verified, verify};
use crate::file::{File, Schema, links, lock};
use crate::keys::DeviceKey;
use crate::second_copy::{self, Kept, SecondCopy};
use crate::sync::fake::{FakeFacility, State};
use crate::tablet::RECORDS_FILE;
use crate::testing::*;
use lamplight_domain::chain::{Credential, Endorser, Head, SignedHead, SigningKey, body_hash, link_hash};
use lamplight_domain::ids::{AuthorId, TabletId};
use lamplight_domain::record::Auth;
use lamplight_domain::wire::HeadShown;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use uuid::Uuid;

/// Another tablet of the ward, as the server shows it.
struct Other {
    key: SigningKey,
    head: Head,
}

impl Other {
    fn new() -> Other {
        let key = SigningKey::from_seed(&[44; 32]);
        Other { head: Head::empty(key.author()), key }
    }
    fn writes(&mut self, server: &FakeFacility, bodies: Vec<Vec<u8>>) {
        let mut state = lock(&server.0);
        for bytes in bodies {
            self.head.seq += 1;
            self.head.hash = link_hash(self.head.author, self.head.seq, &self.head.hash, &body_hash(&bytes));
            state.add(self.head.author, self.head.seq, &bytes);
        }
        let tablet = Some(TabletId(Uuid::from_u128(44)));
        let credential = Credential::sign(&facility_key(), Endorser::Facility, facility(), self.key.public(), tablet);
        let signed = SignedHead { head: self.head, signature: self.key.sign(&self.head.message(facility())) };
        state.heads = vec![HeadShown { signed, credentials: vec![credential] }];
    }
}

/// A folder with six own links, of which the server confirmed four by two receipts, and five rows of another tablet
/// with three signed heads.
struct Ground {
    dir: TempDir,
    own: AuthorId,
    other: AuthorId,
}

impl Ground {
    async fn new() -> Ground {
        let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
        let server = FakeFacility::default();
        *lock(&server.0) = State { time: START.0, generation: 1, ..State::default() };
        let mut other = Other::new();
        let tablet = joined(dir.path(), &clock, 1);
        let inner = Arc::clone(&tablet.0);
        let mut pushing = Default::default();
        other.writes(&server, (0..).zip(census()).map(|(n, e)| foreign(n + 1, e, START - 60_000)).collect());
        inner.pull_page(&server, 0, &mut None).await.unwrap();
        let seen = || tablet.record(technician(), Auth::Pin, Some(stay()), None, check(), None).unwrap();
        // The first own link is a clock measurement, at the first contact.
        seen();
        inner.push_all(&server, &mut pushing, true).await.unwrap();
        other.writes(&server, vec![foreign(10, check(), START)]);
        inner.pull_page(&server, 0, &mut None).await.unwrap();
        seen();
        seen();
        lock(&server.0).time += 1_000;
        inner.push_all(&server, &mut pushing, true).await.unwrap();
        other.writes(&server, vec![foreign(11, check(), START)]);
        inner.pull_page(&server, 0, &mut None).await.unwrap();
        seen();
        seen();
        let state = tablet.sync_state();
        assert_eq!((state.head, state.confirmed), (6, 4));
        tablet.stop();
        Ground { dir, own: state.author.unwrap(), other: other.head.author }
    }

    fn copy(&self) -> TempDir {
        let to = tempfile::tempdir().unwrap();
        copy(self.dir.path(), to.path());
        to
    }

    /// "link.changed own2": link 2 of this tablet.
    fn names(&self, verified: &Verified) -> Vec<String> {
        let who = |author: AuthorId| match author {
            a if a == self.own => "own",
            a if a == self.other => "other",
            _ => "nobody",
        };
        let name = |f: &lamplight_domain::findings::Finding| {
            let seq = f.seq.map_or(String::new(), |seq| seq.to_string());
            format!("{} {}{seq}", f.code, f.author.map_or("", who)).trim().to_owned()
        };
        let mut names: Vec<String> = verified.findings.iter().map(name).collect();
        names.sort();
        names
    }
}

fn key(dir: &Path) -> DeviceKey {
    DeviceKey::of(dir, true).unwrap()
}

/// The records file without the guards.
fn change(dir: &Path, work: impl FnOnce(&Connection) -> rusqlite::Result<()>) {
    let (file, _) = File::open(dir.join(RECORDS_FILE), key(dir), Schema::Records).unwrap();
    file.write(|to| {
        let names: Vec<String> = to
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")?
            .query_map((), |r| r.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        assert!(names.len() >= 9, "{names:?}");
        for name in names {
            to.execute_batch(&format!("DROP TRIGGER {name}"))?;
        }
        work(to)
    })
    .unwrap();
}

fn swap(table: &str, columns: &str, one: &str, other: &str) -> String {
    let set = |from: &str| {
        let one = |c: &str| format!("{c} = (SELECT {c} FROM s WHERE {from})");
        columns.split(' ').map(one).collect::<Vec<_>>().join(", ")
    };
    format!(
        "CREATE TEMP TABLE s AS SELECT * FROM {table};
         UPDATE {table} SET {} WHERE {one}; UPDATE {table} SET {} WHERE {other}; DROP TABLE s;",
        set(other),
        set(one)
    )
}

/// (what somebody does, what is found). Own links 1 to 4 are confirmed, 5 and 6 wait.
#[rustfmt::skip]
fn cases() -> Vec<(String, &'static [&'static str])> {
    let body = |seq: u32| format!("hash = (SELECT body_hash FROM links WHERE seq = {seq})");
    let other = |seq: u32| format!("seq = {seq} AND author IN (SELECT author FROM heads_seen)");
    let others = |seq: u32| format!("hash = (SELECT body_hash FROM held WHERE n = {seq})");
    vec![
        // Bodies.
        (format!("UPDATE bodies SET bytes = CAST(bytes || ' ' AS BLOB) WHERE {}", body(2)), &["body.changed own2"]),
        (format!("UPDATE bodies SET bytes = CAST(bytes || ' ' AS BLOB) WHERE {}", others(1)), &["body.changed other1"]),
        (format!("UPDATE bodies SET id = zeroblob(16) WHERE {}", body(5)), &["body.misfiled own5"]),
        (format!("UPDATE bodies SET kind = 'note' WHERE {}", body(5)), &["body.misfiled own5"]),
        (format!("UPDATE bodies SET stay = zeroblob(16) WHERE {}", body(5)), &["body.misfiled own5"]),
        (format!("UPDATE bodies SET observed_at = 0 WHERE {}", body(5)), &["body.misfiled own5"]),
        (format!("DELETE FROM bodies WHERE {}", body(5)), &["body.missing own5"]),
        (
            "INSERT INTO bodies (hash, id, kind, stay, observed_at, bytes) VALUES (zeroblob(32), zeroblob(16), '', NULL, 0, x'00')".into(),
            &["body.changed"],
        ),
        (
            "INSERT INTO bodies (hash, id, kind, stay, observed_at, bytes)
             VALUES (x'6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d', zeroblob(16), '', NULL, 0, x'00')".into(),
            &["body.stray"],
        ),
        (
            swap("bodies", "bytes", &body(2).replace("FROM links", "FROM main.links"), &body(3)),
            &["body.changed own2", "body.changed own3"],
        ),
        // Own links.
        ("UPDATE links SET hash = zeroblob(32) WHERE seq = 2".into(), &["copy.differs own2", "link.changed own2", "receipt.does_not_fit own2"]),
        ("UPDATE links SET hash = zeroblob(32) WHERE seq = 3".into(), &["copy.differs own3", "link.changed own3"]),
        ("UPDATE links SET prev = zeroblob(32) WHERE seq = 3".into(), &["link.changed own3"]),
        ("UPDATE links SET body_hash = (SELECT body_hash FROM links WHERE seq = 1) WHERE seq = 3".into(), &["link.changed own3", "row.differs own3"]),
        ("DELETE FROM links WHERE seq = 3".into(), &["link.missing own3"]),
        ("DELETE FROM links WHERE seq = 6".into(), &["body.stray", "chain.cut_off own6"]),
        ("DELETE FROM links WHERE seq >= 4".into(), &["body.stray", "body.stray", "chain.cut_off own4", "chain.cut_off own5", "chain.cut_off own6"]),
        ("INSERT INTO links SELECT author, 7, prev, body_hash, hash FROM links WHERE seq = 6".into(), &["copy.missing own7", "link.changed own7"]),
        ("INSERT INTO links SELECT zeroblob(16), 1, prev, body_hash, hash FROM links WHERE seq = 1".into(), &["author.missing nobody1"]),
        (swap("links", "prev body_hash hash", "seq = 5", "seq = 6"), &["copy.differs own5", "copy.differs own6", "link.changed own5", "link.changed own6"]),
        // Receipts.
        ("UPDATE receipts SET signature = zeroblob(64) WHERE n = 1".into(), &["receipt.does_not_hold own2"]),
        ("UPDATE receipts SET received_at = received_at - 1 WHERE n = 1".into(), &["receipt.does_not_hold own2"]),
        ("UPDATE receipts SET hash = zeroblob(32) WHERE n = 1".into(), &["receipt.does_not_hold own2"]),
        ("UPDATE receipts SET request = zeroblob(16) WHERE n = 1".into(), &["receipt.does_not_hold own2"]),
        ("UPDATE receipts SET seq = 3 WHERE n = 1".into(), &["receipt.does_not_hold own3"]),
        ("UPDATE receipts SET author = zeroblob(16) WHERE n = 1".into(), &["receipt.does_not_fit nobody2"]),
        ("DELETE FROM receipts WHERE n = 1".into(), &["receipt.missing own4"]),
        (
            "INSERT INTO receipts (author, seq, hash, received_at, request, signature)
             SELECT author, 6, (SELECT hash FROM links WHERE seq = 6), received_at, request, signature FROM receipts WHERE n = 2".into(),
            &["receipt.does_not_hold own6"],
        ),
        (swap("receipts", "signature", "n = 1", "n = 2"), &["receipt.does_not_hold own2", "receipt.does_not_hold own4"]),
        // Others' heads and credentials.
        ("UPDATE heads_seen SET signature = zeroblob(64) WHERE n = 2".into(), &["head.does_not_hold other4"]),
        ("UPDATE heads_seen SET hash = zeroblob(32) WHERE n = 2".into(), &["head.does_not_hold other4", "row.changed other4"]),
        ("UPDATE heads_seen SET seq = 2 WHERE n = 2".into(), &["head.does_not_hold other2", "row.changed other1"]),
        ("UPDATE heads_seen SET author = zeroblob(16) WHERE n = 2".into(), &["author.missing nobody4"]),
        ("DELETE FROM heads_seen WHERE n = 2".into(), &["head.missing other5"]),
        ("INSERT INTO heads_seen (author, seq, hash, signature) SELECT author, 6, hash, signature FROM heads_seen WHERE n = 3".into(), &["head.does_not_hold other6"]),
        (swap("heads_seen", "signature", "n = 1", "n = 2"), &["head.does_not_hold other3", "head.does_not_hold other4"]),
        ("DELETE FROM authors_seen".into(), &["author.missing other3", "author.missing other4", "author.missing other5"]),
        ("UPDATE authors_seen SET credential = '{}'".into(), &["author.missing other3", "author.missing other4", "author.missing other5", "author.not_vouched other"]),
        ("INSERT INTO authors_seen SELECT zeroblob(16), credential FROM authors_seen".into(), &["author.not_vouched nobody"]),
        // What the feed told.
        ("UPDATE held SET body_hash = zeroblob(32) WHERE n = 1".into(), &["body.stray", "row.changed other1"]),
        ("UPDATE held SET received_at = received_at - 1 WHERE n = 5".into(), &["row.received_at own2"]),
        ("UPDATE held SET n = 2 WHERE n = 1".into(), &["row.repeated other2"]),
        ("DELETE FROM held WHERE n = 1".into(), &["body.stray"]),
        ("INSERT INTO held SELECT author, 7, body_hash, received_at, 99, flags, feed FROM held WHERE n = 5".into(), &["chain.cut_off own7"]),
        (swap("held", "body_hash", "n = 1", "n = 2"), &["feed.changed 9", "row.changed other1"]),
        (swap("held", "n", &other(1), &other(2)), &["feed.changed 9"]),
    ]
}

#[tokio::test]
async fn whatever_is_changed_taken_away_put_in_swapped_or_repeated_is_named() {
    let ground = Ground::new().await;
    let sound = verify(ground.dir.path()).unwrap();
    assert_eq!(ground.names(&sound), [""; 0]);
    assert_eq!((sound.authors, sound.links, sound.receipts, sound.heads), (1, 6, 2, 3));
    assert_eq!((sound.waiting, sound.pruned, sound.bodies, sound.rows), (2, 0, 11, 9));
    let mut wrong = Vec::new();
    for (sql, expected) in cases() {
        let dir = ground.copy();
        change(dir.path(), |to| {
            let before = to.total_changes();
            to.execute_batch(&sql)?;
            assert!(to.total_changes() > before, "{sql}");
            Ok(())
        });
        let verified = verify(dir.path()).unwrap();
        let found = ground.names(&verified);
        if found != expected {
            wrong.push(format!("{sql}\n    found    {found:?}\n    expected {expected:?}"));
        }
        let text = serde_json::to_string(&verified).unwrap();
        assert!(!["Garcia", "Mateo", "bedroom"].iter().any(|word| text.contains(word)), "{text}");
        assert_eq!(verified.or_refuse().unwrap_err().code, "verify.broken", "{sql}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_body_that_is_confirmed_may_be_pruned_and_one_that_waits_may_not() {
    let ground = Ground::new().await;
    let dir = ground.copy();
    change(dir.path(), |to| {
        to.execute_batch(
            "DELETE FROM bodies WHERE hash IN (SELECT body_hash FROM links WHERE seq <= 2)
                            OR hash IN (SELECT body_hash FROM held WHERE n = 1)",
        )
    });
    let verified = verify(dir.path()).unwrap();
    assert_eq!((ground.names(&verified).len(), verified.pruned), (0, 3));
    let pruned: Vec<_> = verified.pruned_links.iter().map(|p| (p.author == ground.own, p.seq)).collect();
    assert_eq!(pruned, [(true, 1), (true, 2), (false, 1)]);
}

#[tokio::test]
async fn the_last_receipts_are_missed_where_the_feed_shows_that_there_were_some() {
    let ground = Ground::new().await;
    assert_eq!(verify(ground.dir.path()).unwrap().without_receipt, 0);
    let dir = ground.copy();
    change(dir.path(), |to| to.execute_batch("DELETE FROM receipts WHERE n = 2"));
    let verified = verify(dir.path()).unwrap();
    // As after an answer that was lost on the way: counted, and no break.
    assert_eq!((verified.without_receipt, verified.waiting, verified.broken), (2, 4, 0));
}

#[tokio::test]
async fn the_second_copy_must_hold_all_that_waits_and_nothing_else_under_its_numbers() {
    let ground = Ground::new().await;
    type Forge = fn(&mut Vec<Kept>, &mut Head);
    let forgeries: [(Forge, &[&str]); 4] = [
        (|links, _| links.retain(|(link, _)| link.seq != 5), &["copy.missing own5"]),
        (|links, _| links.clear(), &["copy.missing own5", "copy.missing own6"]),
        (
            |links, _| links.iter_mut().filter(|(link, _)| link.seq == 5).for_each(|(_, body)| body.push(b' ')),
            &["copy.differs own5"],
        ),
        (|_, head| head.hash = lamplight_domain::chain::Hash([9; 32]), &["copy.differs own4"]),
    ];
    for (forge, expected) in forgeries {
        let dir = ground.copy();
        let key = key(dir.path());
        let found = second_copy::read(dir.path(), &key).unwrap();
        let mut links: Vec<Kept> = found.links.into_iter().filter(|(link, _)| link.seq > 4).collect();
        assert_eq!(links.len(), 2);
        let mut head = Head { seq: 4, hash: links[0].0.prev, author: ground.own };
        forge(&mut links, &mut head);
        drop(SecondCopy::begin(dir.path(), &key, &head, &links).unwrap());
        assert_eq!(ground.names(&verify(dir.path()).unwrap()), expected);
    }
    let dir = ground.copy();
    let path = dir.path().join(second_copy::FILE);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let found = ground.names(&verify(dir.path()).unwrap());
    assert!(found.contains(&"copy.damaged".to_owned()), "{found:?}");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(ground.names(&verify(dir.path()).unwrap()), ["copy.missing own5", "copy.missing own6"]);
}

#[tokio::test]
async fn an_own_history_that_is_rewritten_does_not_fit_its_receipts() {
    let ground = Ground::new().await;
    let dir = ground.copy();
    change(dir.path(), |to| {
        // Everything worked out again, as it would be had link 2 named another body.
        let mut at = Head::empty(ground.own);
        let first = links::at(to, ground.own, 1)?.unwrap().body_hash;
        for seq in 1..=6 {
            let mut link = links::at(to, ground.own, seq)?.unwrap();
            link.prev = at.hash;
            if seq == 2 {
                link.body_hash = first;
            }
            at = Head { seq, hash: link.hash(), ..at };
            to.execute("DELETE FROM links WHERE seq = ?1", [seq as i64])?;
            links::insert(to, &link)?;
        }
        Ok(())
    });
    let found = ground.names(&verify(dir.path()).unwrap());
    for name in ["receipt.does_not_fit own2", "receipt.does_not_fit own4", "row.differs own2"] {
        assert!(found.contains(&name.to_owned()), "{name} in {found:?}");
    }
    assert!(!found.iter().any(|f| f.starts_with("link.changed")), "{found:?}");
}

/// Names and bytes of everything in a folder.
fn content(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(dir).unwrap().map(Result::unwrap);
    entries.map(|e| (e.file_name().to_string_lossy().into_owned(), std::fs::read(e.path()).unwrap())).collect()
}

#[tokio::test]
async fn nothing_in_the_folder_changes_also_where_a_log_stands_beside_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let ground = Ground::new().await;
    // Closed: all is in the file.
    let before = content(ground.dir.path());
    assert!(!before.contains_key("records.db-wal"));
    verify(ground.dir.path()).unwrap();
    assert_eq!(content(ground.dir.path()), before);
    // Copied while a program had it open: the newest entry stands in the log only.
    let running = ground.copy();
    let tablet = open(running.path(), &HandClock::new());
    tablet.record(technician(), Auth::Pin, Some(stay()), None, check(), None).unwrap();
    assert_eq!(verify(running.path()).unwrap_err().code, "tablet.in_use");
    let image = tempfile::tempdir().unwrap();
    copy(running.path(), image.path());
    drop(tablet);
    let before = content(image.path());
    assert!(!before["records.db-wal"].is_empty());
    let read_only = |mode| std::fs::set_permissions(image.path(), std::fs::Permissions::from_mode(mode)).unwrap();
    read_only(0o500);
    let verified = verify(image.path());
    read_only(0o700);
    let verified = verified.unwrap();
    assert_eq!((verified.links, verified.broken), (7, 0), "{verified:?}");
    assert_eq!(content(image.path()), before);
}

#[tokio::test]
async fn what_is_no_tablet_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(verify(dir.path()).unwrap_err().code, "join.first");
    let ground = Ground::new().await;
    let dir = ground.copy();
    std::fs::write(dir.path().join("device.key"), [7; 32]).unwrap();
    assert_eq!(verify(dir.path()).unwrap_err().code, "key.wrong");
    let dir = ground.copy();
    change(dir.path(), |to| to.pragma_update(None, "user_version", 1_000));
    assert_eq!(verify(dir.path()).unwrap_err().code, "file.newer");
}
