//! A disk that is full: nothing is said to be saved that is not, and recording goes on once there is room.

use crate::fixture::Ward;
use lamplight_tests::facility::lines;
use lamplight_tests::process::run;
use lamplight_tests::{programs, small_disk};

#[tokio::test]
async fn a_full_disk_is_said_and_what_was_saved_before_stays() {
    let ward = Ward::open();
    // Joins on a disk of 12 MB, fills it, records until it is refused, makes room, records again.
    let script = r#"
        set -u
        mkdir -p "$DIR" && mount -t tmpfs -o size=12m tmpfs "$DIR" || exit 90
        "$SIM" tablet --dir "$DIR/t" join --invite "$INVITE" >/dev/null || exit 91
        "$SIM" tablet --dir "$DIR/t" record --count 3 --each || exit 92
        dd if=/dev/zero of="$DIR/fill" bs=4k 2>/dev/null
        "$SIM" tablet --dir "$DIR/t" record --count 5000 --each && exit 93
        echo '{"phase":"full"}'
        rm "$DIR/fill"
        "$SIM" tablet --dir "$DIR/t" record --count 2 --each || exit 94
        echo '{"phase":"room"}'
        "$SIM" tablet --dir "$DIR/t" export || exit 95
    "#;
    let Some(mut command) = small_disk::shell(script) else {
        return programs::skip("this machine does not permit a small file system of our own (unshare)");
    };
    command.env("DIR", ward.dir("small-disk")).env("SIM", programs::path("lamplight-sim")).env("INVITE", &ward.invite);
    let (status, out, err) = run(command).unwrap();
    assert_eq!(status.code(), Some(0), "{err}\n{}", &out[..out.len().min(2_000)]);
    assert!(err.to_lowercase().contains("not saved") || err.contains("disk"), "it says so on stderr: {err}");
    let out = lines(&out).unwrap();
    let phase = |name: &str| out.iter().position(|l| l["phase"] == name).unwrap();
    let (full, room) = (phase("full"), phase("room"));
    let saved: Vec<&str> = out[..room].iter().filter_map(|l| l["saved"].as_str()).collect();
    assert!(saved.len() >= 5, "{} saved", saved.len());
    assert!(out[full..room].iter().filter(|l| !l["saved"].is_null()).count() == 2, "room again: recording goes on");
    let exported: Vec<&str> = out[room..].iter().filter_map(|l| l["id"].as_str()).collect();
    for id in saved {
        assert!(exported.contains(&id), "{id} was said to be saved and is gone");
    }
}
