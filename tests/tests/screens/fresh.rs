//! A tablet that belongs to nobody yet, with no server anywhere.

use lamplight_tests::display::Display;
use lamplight_tests::hands::Hands;
use lamplight_tests::page::id;
use lamplight_tests::window::{self, Window};
use lamplight_tests::{axe, programs};
use serde_json::json;

#[tokio::test]
async fn a_fresh_tablet_opens_at_the_join_page_and_says_what_is_wrong_with_an_invite() {
    if let Err(why) = window::possible() {
        return programs::skip(&why);
    }
    let folder = tempfile::tempdir().unwrap();
    let display = Display::start(&folder.path().join("logs")).unwrap();
    let window = Window::open(&programs::path("lamplight"), &display, folder.path(), "fresh").await.unwrap();
    let hands = Hands { page: &window.page };
    hands.at("join").await.unwrap();
    window.page.resize(800, 1280).await.unwrap();
    window.page.resize(1280, 800).await.unwrap();
    assert_eq!(axe::serious_findings(&window.page).await.unwrap(), Vec::<String>::new());
    window.page.type_in(&id("join-invite"), "lamplight:half-an-inv").await.unwrap();
    hands.tap("join-submit").await.unwrap();
    window.page.text_that(&id("refusal"), "what to do", |t| t.contains("Copy it again")).await.unwrap();
    // Nothing of the world outside can be reached from the page, and nothing of Tauri but the one command.
    let reach = "const done = arguments[arguments.length - 1];
        Promise.allSettled([fetch('http://127.0.0.1:1/'), window.__TAURI_INTERNALS__.invoke('plugin:app|version'),
            window.__TAURI_INTERNALS__.invoke('plugin:fs|read_file', { path: '/etc/hostname' })])
          .then((all) => done([all.map((one) => one.status), typeof window.__TAURI__]));";
    let reached = window.page.run_async(reach, vec![]).await.unwrap();
    assert_eq!(reached, json!([["rejected", "rejected", "rejected"], "undefined"]));
    window.close().await.unwrap();
}
