//! `export`, `backup`, and what is refused about a folder.

#![allow(clippy::unwrap_used)] // A test may fail.

mod common;

use common::*;
use lamplight_domain::chain::body_hash;
use lamplight_domain::wire::{Facility, FeedFrom};
use lamplight_server::store;
use lamplight_server::{FacilityServer, Options, backup, export, serve, verify};
use rusqlite::Connection;
use serde_json::Value;

/// A ward with two tablets and some batches each.
async fn furnished(house: &House) -> (Pad, Pad) {
    let server = house.open();
    let (mut a, mut b) = (house.tablet(&server, 1).await, house.tablet(&server, 2).await);
    let first = admission(&a, STAY, START - HOUR);
    a.push(&server, first).await;
    for n in 0..4 {
        house.wait(MINUTE);
        let (note, check) = (a.note(house.now(), &n.to_string()), b.check(house.now()));
        a.push(&server, vec![note]).await;
        b.push(&server, vec![check]).await;
    }
    server.close().await;
    (a, b)
}

/// What a job does that finds no more room on the disk: SQLite then ends the whole transaction by itself.
fn no_room(db: &Connection) -> Result<(), store::StoreError> {
    let pages: i64 = db.query_row("PRAGMA page_count", [], |r| r.get(0))?;
    db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |r| r.get::<_, i64>(0))?;
    store::meta::set(db, "big", &vec![7; 4 * 1024 * 1024])?;
    Ok(())
}

#[tokio::test]
async fn what_shares_a_commit_with_one_that_finds_no_room_is_undone_with_it() {
    let house = House::new();
    let folder = lamplight_server::folder::Folder::existing(&house.path).unwrap();
    let key = folder.key().unwrap();
    let db = store::open(&folder.database(), &key).unwrap();
    let (again, seen) = std::sync::mpsc::channel();
    let read_again = move |_: &Connection| {
        let _ = again.send(());
        Ok(())
    };
    let writer = std::sync::Arc::new(store::writer::Writer::start(db, folder.database(), key, read_again).unwrap());
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let (begun, at_work) = tokio::sync::oneshot::channel();
    type Work = Box<dyn FnOnce(&Connection) -> Result<(), store::StoreError> + Send>;
    let job = |work: Work| {
        let writer = writer.clone();
        tokio::spawn(async move { writer.write(work, |()| {}).await })
    };
    let held = job(Box::new(move |_| {
        let _ = begun.send(());
        let _ = gate.recv();
        Ok(())
    }));
    at_work.await.unwrap();
    let put = |name: &'static str| -> Work { Box::new(move |db| Ok(store::meta::set(db, name, b"1")?)) };
    let mut together = Vec::new();
    for (n, work) in [put("one"), Box::new(no_room), put("two"), put("three")].into_iter().enumerate() {
        together.push(job(work));
        while writer.waiting() <= n {
            tokio::task::yield_now().await;
        }
    }
    go.send(()).unwrap();
    assert!(held.await.unwrap().is_ok());
    for job in together {
        assert!(job.await.unwrap().is_err());
    }
    assert!(seen.recv_timeout(std::time::Duration::from_secs(20)).is_ok(), "what is in memory is read again");
    assert!(writer.write(put("after"), |()| {}).await.is_ok(), "the writer goes on");
    writer.stop();
    assert!(seen.try_recv().is_err(), "once");
    let db = house.db();
    let held = ["one", "two", "three", "after"].map(|n| store::meta::get(&db, n).unwrap().is_some());
    assert_eq!(held, [false, false, false, true], "nobody's word and the file differ");
}

#[tokio::test]
async fn the_file_itself_refuses_to_change_or_forget() {
    let house = House::new();
    furnished(&house).await;
    let db = house.db();
    for table in ["bodies", "links", "heads", "authors", "feed"] {
        let column = if table == "authors" { "id" } else { "rowid" };
        let column = if ["links", "heads", "feed"].contains(&table) { "seq" } else { column };
        let column = if table == "feed" { "n" } else { column };
        let update = db.execute(&format!("UPDATE {table} SET {column} = {column}"), []).unwrap_err().to_string();
        let delete = db.execute(&format!("DELETE FROM {table}"), []).unwrap_err().to_string();
        assert!(update.contains("is never changed"), "{table}: {update}");
        assert!(delete.contains("is never deleted"), "{table}: {delete}");
    }
}

fn exported(path: &std::path::Path) -> Vec<Value> {
    let mut out = Vec::new();
    let count = export(path, &mut out).unwrap();
    let lines: Vec<Value> = String::from_utf8(out).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len() as u64, count);
    lines
}

#[tokio::test]
async fn an_export_has_every_record_once_with_its_first_link() {
    let house = House::new();
    let (mut a, mut b) = furnished(&house).await;
    let server = house.open();
    let poison = b"\xff not a record".to_vec();
    let shared = a.check(house.now());
    a.push(&server, vec![poison.clone(), shared.clone()]).await;
    b.push(&server, vec![shared.clone()]).await;
    let lines = exported(&house.path);
    assert_eq!(lines.len(), 15, "while it is served");
    let of = |bytes: &[u8]| {
        let hash = body_hash(bytes).to_string();
        let found: Vec<&Value> = lines.iter().filter(|l| l["hash"] == hash.as_str()).collect();
        assert_eq!(found.len(), 1);
        found[0].clone()
    };
    let check = of(&shared);
    assert_eq!(
        (check["author"].as_str().unwrap(), check["seq"].as_u64()),
        (&*a.key.author().to_string(), Some(a.head.seq))
    );
    assert_eq!((check["kind"].as_str(), check["stay"].as_str()), (Some("check"), Some(&*STAY.to_string())));
    assert_eq!(check["patient"].as_str(), Some(&*id(1_030).to_string()));
    assert_eq!(check["by"].as_str(), Some(&*TECHNICIAN.to_string()));
    let at = Some(house.now().0);
    assert_eq!(
        (check["observed_at"].as_i64(), check["recorded_at"].as_i64(), check["received_at"].as_i64()),
        (at, at, at)
    );
    let unread = of(&poison);
    assert_eq!((&unread["id"], &unread["kind"], &unread["observed_at"]), (&Value::Null, &Value::Null, &Value::Null));
    let keys: Vec<&String> = check.as_object().unwrap().keys().collect();
    let mut expected =
        ["author", "seq", "id", "kind", "stay", "patient", "by", "observed_at", "recorded_at", "received_at", "hash"];
    expected.sort_unstable();
    assert_eq!(keys, expected);
}

#[tokio::test]
async fn a_backup_taken_while_serving_serves_as_it_is_as_a_new_generation() {
    let house = House::new();
    let (mut pad, _) = furnished(&house).await;
    let running = serve(&house.path, ([127, 0, 0, 1], 0).into(), Options::default()).await.unwrap();
    let server = running.facility().clone();
    assert_eq!(server.feed(pad.ask(FeedFrom::Opening)).await.unwrap().header.backed_up, None);
    let to = house.folder().join("copy");
    let done = backup(&house.path, &to).unwrap();
    // And that a copy was begun.
    assert_eq!(done.records, 14);
    let page = server.feed(pad.ask(FeedFrom::Opening)).await.unwrap();
    assert_eq!(page.header.backed_up, Some(done.backed_up));
    let (_, original) = pad.opening(&server, 100).await;
    let note = pad.note(house.now(), "after the backup");
    pad.push(&server, vec![note]).await;
    running.stop().await;
    // Moved elsewhere, as a whole.
    let moved = house.folder().join("moved");
    std::fs::rename(&to, &moved).unwrap();
    verify(&moved).unwrap();
    assert_eq!(exported(&moved).len(), 14);
    let running = serve(&moved, ([127, 0, 0, 1], 0).into(), Options::default()).await.unwrap();
    let server = running.facility().clone();
    assert_eq!(
        server.identity().key.public(),
        FacilityServer::open(&house.path, house.around()).unwrap().identity().key.public()
    );
    let (_, restored) = pad.opening(&server, 100).await;
    assert_ne!(restored.generation, original.generation);
    assert_eq!((restored.n, restored.hash), (original.n, original.hash));
    running.stop().await;
    assert_eq!(backup(&house.path, &moved).unwrap_err().code, "folder.not_empty");
}

#[tokio::test]
async fn what_cannot_be_served_is_refused_by_name() {
    let listen = ([127, 0, 0, 1], 0).into();
    let refusal = |r: Result<lamplight_server::Running, _>| r.err().unwrap();
    let house = House::new();
    assert_eq!(refusal(serve(house.folder(), listen, Options::default()).await).code, "folder.no_facility");
    let running = serve(&house.path, listen, Options::default()).await.unwrap();
    assert_eq!(refusal(serve(&house.path, listen, Options::default()).await).code, "folder.in_use");
    let second = House::new();
    assert_eq!(refusal(serve(&second.path, running.address, Options::default()).await).code, "listen.busy");
    running.stop().await;
    serve(&second.path, listen, Options::default()).await.unwrap().stop().await;
    let db = second.db();
    db.pragma_update(None, "user_version", 1_000).unwrap();
    drop(db);
    assert_eq!(refusal(serve(&second.path, listen, Options::default()).await).code, "database.newer");
    assert_eq!(verify(&second.path).unwrap_err().code, "database.newer");
    std::fs::write(house.path.join("server.key"), "00".repeat(32)).unwrap();
    assert_eq!(refusal(serve(&house.path, listen, Options::default()).await).code, "database.key");
}

#[tokio::test]
async fn a_write_that_fails_or_panics_undoes_only_itself_and_is_not_confirmed() {
    let house = House::new();
    let folder = lamplight_server::folder::Folder::existing(&house.path).unwrap();
    let key = folder.key().unwrap();
    let db = store::open(&folder.database(), &key).unwrap();
    let writer = store::writer::Writer::start(db, folder.database(), key, |_| Ok(())).unwrap();
    let put = |name: &'static str| move |db: &Connection| Ok(store::meta::set(db, name, b"1")?);
    let (good, failing, panicking, after) = tokio::join!(
        writer.write(put("one"), |()| {}),
        writer.write::<()>(
            move |db| {
                put("two")(db)?;
                Err(store::StoreError::Broken("no".into()))
            },
            |()| panic!("nothing was committed"),
        ),
        writer.write::<()>(
            move |db| {
                put("three")(db)?;
                panic!("poison")
            },
            |()| {},
        ),
        writer.write(put("four"), |()| panic!("what follows a commit does not undo it")),
    );
    assert!(good.is_ok() && failing.is_err() && panicking.is_err());
    drop(after);
    assert!(writer.write(put("five"), |()| {}).await.is_ok(), "the writer goes on");
    writer.stop();
    assert!(writer.write(put("six"), |()| {}).await.is_err());
    let db = house.db();
    let held = ["one", "two", "three", "four", "five", "six"].map(|n| store::meta::get(&db, n).unwrap().is_some());
    assert_eq!(held, [true, false, false, true, true, false]);
}

#[tokio::test]
async fn whoever_comes_while_too_many_wait_is_told_to_come_again() {
    let house = House::new();
    let folder = lamplight_server::folder::Folder::existing(&house.path).unwrap();
    let key = folder.key().unwrap();
    let db = store::open(&folder.database(), &key).unwrap();
    let writer = std::sync::Arc::new(store::writer::Writer::start(db, folder.database(), key, |_| Ok(())).unwrap());
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let (begun, at_work) = tokio::sync::oneshot::channel();
    let first = writer.clone();
    let first = tokio::spawn(async move {
        let work = move |_: &Connection| {
            let _ = begun.send(());
            let _ = gate.recv();
            Ok(())
        };
        first.write(work, |()| {}).await
    });
    at_work.await.unwrap();
    let waiting: Vec<_> = (0..store::writer::QUEUE)
        .map(|n| {
            let writer = writer.clone();
            let work = move |db: &Connection| Ok(store::meta::set(db, &format!("n{n}"), b"1")?);
            tokio::spawn(async move { writer.write(work, |()| {}).await })
        })
        .collect();
    while writer.waiting() < store::writer::QUEUE {
        tokio::task::yield_now().await;
    }
    let refused = writer.write(|_| Ok(()), |()| {}).await;
    assert!(matches!(refused, Err(store::StoreError::Busy)));
    go.send(()).unwrap();
    assert!(first.await.unwrap().is_ok());
    for job in waiting {
        assert!(job.await.unwrap().is_ok(), "who waited is served");
    }
    assert!(writer.write(|_| Ok(()), |()| {}).await.is_ok());
    writer.stop();
}
