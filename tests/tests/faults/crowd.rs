//! A ward house full of tablets that all come back in one moment, to a server that has just been started.

use crate::house::{self, close, new_id, note, open};
use lamplight_domain::wire::path;
use lamplight_tests::faults::is_long;
use lamplight_tests::until::{PATIENCE, within};
use serde_json::{Value, json};

/// What the server's memory stays under.
const MOST_MIB: u64 = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tablets_that_come_back_at_once_all_drain_and_the_server_answers_meanwhile() {
    let count = if is_long() { 300 } else { 60 };
    let mut facility = house::facility().await;
    let invite = facility.invite(&facility.url(), count).unwrap();
    let mut tablets = Vec::new();
    for n in 0..count {
        let dir = facility.folder().join(format!("tablet-{n}"));
        let tablet = open(&dir).await.unwrap();
        // Room that is kept for a full disk: so many of them would fill this one.
        let _ = std::fs::remove_file(dir.join("reserve"));
        tablet.join(&invite, "").await.unwrap();
        tablets.push(tablet);
    }
    facility.kill();
    let mut saved = Vec::new();
    let mut running = Vec::new();
    for tablet in &tablets {
        for _ in 0..3 {
            let id = new_id();
            note(tablet, id).await.unwrap();
            saved.push(id.to_string());
        }
        let tablet = tablet.clone();
        running.push(tokio::spawn(async move { tablet.run().await }));
    }
    assert!(tablets.iter().all(|tablet| tablet.sync_state().waiting >= 3));
    let mut facility = tokio::task::spawn_blocking(move || {
        facility.start().unwrap();
        facility
    })
    .await
    .unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().build().unwrap();
    let hello = format!("{}{}", facility.url(), path::HELLO);
    let mut answered = 0;
    let drained = within(PATIENCE * 2, async || {
        let answer = http.post(&hello).send().await.unwrap();
        assert!(answer.status().is_success() || answer.status() == 503, "{}", answer.status());
        answered += u32::from(answer.status().is_success());
        tablets.iter().all(|tablet| tablet.sync_state().waiting == 0).then_some(())
    })
    .await;
    assert!(drained.is_some(), "all drain");
    assert!(answered > 0, "the server answers meanwhile");
    let memory = std::fs::read_to_string(format!("/proc/{}/status", facility.pid().unwrap())).unwrap();
    let most = memory.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let most: u64 = most.trim().trim_end_matches(" kB").parse().unwrap();
    println!("{count} tablets, the server took {} MiB", most / 1_024);
    assert!(most / 1_024 < MOST_MIB, "{} MiB", most / 1_024);
    for tablet in &tablets {
        let hello: Value = tablet.call("hello", json!({})).await.unwrap();
        assert_eq!(hello["troubles"], json!([]), "nobody is shown an error");
    }
    for (tablet, running) in tablets.into_iter().zip(running) {
        tablet.stop();
        running.await.unwrap();
        close(tablet).await;
    }
    facility.stop().unwrap();
    let held = house::notes_at(&facility.data()).await;
    assert!(saved.iter().all(|id| held.get(id).map(Vec::len) == Some(1)) && held.len() == saved.len());
}
