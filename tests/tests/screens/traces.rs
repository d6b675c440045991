//! What a round leaves on the disk: whatever the app, WebKit, the driver and the server wrote, no patient's name, no
//! words of an entry, no PIN, no password, no key and no invite stands in any of it in the clear. Under a driver the
//! window is not private, so what a page leaves behind is easier to find here than on a ward.

use crate::ground::{ground, walkable};
use lamplight_tests::hands::Hands;
use lamplight_tests::page::{Page, id};
use lamplight_tests::station::{self, Station};
use std::path::{Path, PathBuf};

const WORDS: &str = "CASIMIRA-QUILL could not sleep";

/// Each secret, as the bytes that a file could hold it in.
fn encodings(secret: &str) -> Vec<Vec<u8>> {
    let wide = |encode: fn(u16) -> [u8; 2]| secret.encode_utf16().flat_map(encode).collect();
    vec![secret.as_bytes().to_vec(), wide(u16::to_le_bytes), wide(u16::to_be_bytes)]
}

fn files(under: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(under).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files(&path, found),
            Ok(kind) if kind.is_file() => found.push(path),
            _ => {}
        }
    }
}

/// The files that hold one of these, with what they hold.
fn holding(folder: &Path, secrets: &[String], but: impl Fn(&Path, &str) -> bool) -> Vec<String> {
    let mut all = Vec::new();
    files(folder, &mut all);
    let mut found = Vec::new();
    for path in all {
        let bytes = std::fs::read(&path).unwrap_or_default();
        for secret in secrets {
            let is_in = encodings(secret).iter().any(|form| memchr::memmem::find(&bytes, form).is_some());
            if is_in && !but(&path, secret) {
                found.push(format!("{} in {}", secret, path.display()));
            }
        }
    }
    found
}

/// What a page says of itself outside of itself: in the window's title, in the history, in a log of a proxy.
async fn outside(page: &Page) -> String {
    let said = page.run("return `${document.title} ${location.href}`", vec![]).await.unwrap();
    format!("{}\n", said.as_str().unwrap())
}

#[tokio::test]
async fn a_round_leaves_no_name_no_word_and_no_secret_in_any_file() {
    let Some(ground) = ground().await else { return };
    let window = ground.joined().await;
    let hands = Hands { page: &window.page };
    let (technician, nurse) = (ground.technician(), ground.nurse());
    let board = ground.second_board().await;
    let bed = &walkable(&board)[0];

    let mut said = outside(&window.page).await;
    hands.sign_in(technician).await.unwrap();
    hands.check(bed, "bedroom", "resting").await.unwrap();
    hands.open(bed).await.unwrap();
    said += &outside(&window.page).await;
    hands.tap("add-note").await.unwrap();
    window.page.type_in(&id("words"), WORDS).await.unwrap();
    hands.tap("save").await.unwrap();
    hands.at("pad").await.unwrap();
    // Half of an entry is kept as well.
    hands.tap("add-concern").await.unwrap();
    window.page.type_in(&id("words"), &format!("half a thought: {WORDS}")).await.unwrap();
    hands.tap("close").await.unwrap();
    hands.at("pad").await.unwrap();
    hands.tap("open-day").await.unwrap();
    hands.at("day").await.unwrap();
    said += &outside(&window.page).await;
    let folder = ground.facility.folder().to_owned();
    let station = Station::open(&folder).await.unwrap();
    station::visit(&station.page, &ground.facility.url()).await.unwrap();
    station::log_in(&station.page, nurse).await.unwrap();
    station.page.see(&id(&format!("row-{bed}"))).await.unwrap();
    said += &outside(&station.page).await;
    station.page.tap(&id(&format!("row-{bed}"))).await.unwrap();
    station.page.see(&id("day")).await.unwrap();
    said += &outside(&station.page).await;
    drop(station);
    // In the middle of its work, so that whatever lies open on the disk stays there.
    window.kill_app().await;

    let names = board.cards.iter().map(|card| card.name.split(',').next().unwrap_or_default().to_owned());
    let mut secrets: Vec<String> = names.filter(|name| name.len() > 4).collect();
    assert!(secrets.len() > 10, "{secrets:?}");
    secrets.extend(["CASIMIRA-QUILL".to_owned(), nurse.password.clone(), ground.invite.clone()]);
    let code: lamplight_domain::wire::Invite = ground.invite.parse().unwrap();
    secrets.push(code.code);
    for key in ["server.key", "device.key"] {
        let mut all = Vec::new();
        files(&folder, &mut all);
        for path in all.iter().filter(|path| path.ends_with(key)) {
            let bytes = std::fs::read(path).unwrap();
            let text = String::from_utf8(bytes.clone()).ok().filter(|t| t.len() >= 64);
            secrets.push(text.map_or_else(|| hex::encode(&bytes), |t| t.trim().to_owned()));
        }
    }
    // Chromium's profile is the station's machine, not Lamplight's: its pages are not to be kept, so it is searched too.
    // The demo's own output says its PINs and passwords to whoever starts it; the key files hold the keys.
    let allowed = |path: &Path, secret: &str| {
        let is_key = path.extension().is_some_and(|e| e == "key");
        let is_demo = path.file_name().is_some_and(|n| n.to_string_lossy().contains("demo"));
        is_key || (is_demo && secret == nurse.password)
    };
    assert_eq!(holding(&folder, &secrets, allowed), Vec::<String>::new());
    assert!(said.lines().count() == 5 && said.matches("://").count() == 5, "{said}");
    assert!(secrets.iter().all(|secret| !said.contains(secret.as_str())), "{said}");

    // The search finds what is there: the same in a file of its own, as both kinds of text.
    for (name, form) in ["plain", "wide"].iter().zip(encodings(&secrets[0])) {
        let path = folder.join(name);
        std::fs::write(&path, [b"....".as_slice(), &form, b"...."].concat()).unwrap();
        assert_eq!(holding(&folder, &secrets[..1], allowed).len(), 1, "{name}");
        std::fs::remove_file(&path).unwrap();
    }
}
