//! A tablet is taken out of use by a command beside the process that serves.

use crate::fixture::{Ward, note};
use lamplight_domain::wire::Trouble;
use lamplight_tests::sim::tablet::Walk;
use lamplight_tests::until::until;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_tablet_hears_it_from_the_serving_process_and_what_it_holds_is_taken() {
    let ward = Ward::open();
    let tablet = ward.tablet("one").await;
    let walk = Walk::of(&tablet).await.unwrap();
    let hello = tablet.call("hello", json!({})).await.unwrap();
    let name = hello["tablet_name"].as_str().unwrap();
    let (refused, _, said) = ward.facility.run("tablet", &["revoke", "W-99", "--reason", "lost"]).unwrap();
    assert!(!refused.success() && said.contains("tablet.unknown"), "{said}");
    let saved = note(&tablet, &walk, 0, "before it was heard of");
    ward.facility.command_with("tablet", &["revoke", name, "--reason", "lost"]).unwrap();
    let is_revoked = async || match tablet.sync_now().await {
        Err(Trouble::Refused(refusal)) => (refusal.code == "tablet.revoked").then_some(()),
        _ => None,
    };
    until("the serving process notices", is_revoked).await;
    let late = note(&tablet, &walk, 1, "after it");
    let _ = tablet.sync_now().await;
    assert_eq!(tablet.sync_state().waiting, 0);
    let kinds = ward.server_holds().kinds;
    assert!(kinds.contains_key(&saved.to_string()) && kinds.contains_key(&late.to_string()));
    assert!(kinds.values().any(|kind| kind == "tablet.revoked"), "and that is on record");
    assert!(tablet.status().troubles.iter().any(|t| t.code == "tablet.revoked"));
    ward.facility.verify().unwrap();
}
