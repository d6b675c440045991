//! The app is killed in the middle of an entry; nothing of it is lost.

use crate::ground::{ground, walkable};
use lamplight_tests::hands::Hands;
use lamplight_tests::page::id;
use lamplight_tests::until::until;
use serde_json::json;

#[tokio::test]
async fn a_half_made_entry_is_offered_again_after_kill_9_and_saved_checks_are_there() {
    let Some(ground) = ground().await else { return };
    let window = ground.joined().await;
    let hands = Hands { page: &window.page };
    hands.sign_in(ground.technician()).await.unwrap();
    ground.cable.cut();
    let beds = walkable(&ground.second.board().unwrap());
    let check = hands.check(&beds[0], "bedroom", "resting").await.unwrap();
    hands.open(&beds[1]).await.unwrap();
    hands.tap("add-behaviour").await.unwrap();
    hands.at("behaviour").await.unwrap();
    hands.tap("behaviour-threats").await.unwrap();
    window.page.type_in(&id("words"), "Threw a cup at the").await.unwrap();
    until("the draft to be kept", async || {
        let kept = window.page.run_async(DRAFTS, vec![]).await.ok()?;
        kept.to_string().contains("Threw a cup at the").then_some(())
    })
    .await;
    window.kill_app().await;

    let window = ground.open("second").await;
    let hands = Hands { page: &window.page };
    hands.sign_in(ground.technician()).await.unwrap();
    hands.open(&beds[1]).await.unwrap();
    hands.tap("add-behaviour").await.unwrap();
    hands.at("behaviour").await.unwrap();
    hands.tap("draft-continue").await.unwrap();
    let words = window.page.see(&id("words")).await.unwrap();
    assert_eq!(words.prop("value").await.unwrap().as_deref(), Some("Threw a cup at the"));
    let chip = window.page.see(&id("behaviour-threats")).await.unwrap();
    assert_eq!(chip.attr("aria-pressed").await.unwrap().as_deref(), Some("true"));
    words.send_keys(" wall.").await.unwrap();
    hands.tap("save").await.unwrap();
    hands.at("pad").await.unwrap();
    ground.cable.restore();
    hands.tap("close").await.unwrap();
    hands.strip_that("that nothing waits", |online, waiting| online && waiting == 0).await.unwrap();
    let export = ground.facility.export().unwrap();
    assert!(export.iter().any(|l| l["id"] == json!(check)), "the check before the crash is on the server");
    let author = &export.iter().find(|l| l["id"] == json!(check)).unwrap()["author"];
    let entries = export.iter().filter(|l| l["kind"] == "behaviour" && &l["author"] == author).count();
    assert_eq!(entries, 1, "one entry, not two");
}

/// The half-made entries that the program holds, asked as the page asks.
const DRAFTS: &str = "const done = arguments[arguments.length - 1];
    window.__TAURI_INTERNALS__.invoke('call', { command: 'drafts', args: {} }).then(done, (e) => done(String(e)));";
