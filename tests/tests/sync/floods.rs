//! Floods from this machine, each bounded in number and time. While one runs a page that is signed in shows the ward, and
//! a tablet's entries are confirmed; everything that is refused is refused by name; and what is written of it in the
//! audit stays a few lines.

use crate::fixture::{OAK_ID, Ward, note};
use crate::raw::Raw;
use lamplight_domain::station::{CSRF_HEADER, path};
use lamplight_domain::wire::{self, AUTH_HEADER, CONTENT_TYPE, Invite, server_name};
use lamplight_server::station::access::{RULES, Who};
use lamplight_tablet::Tablet;
use lamplight_tests::desk::{Desk, refusal};
use lamplight_tests::facility::Facility;
use lamplight_tests::sim::tablet::Walk;
use lamplight_tests::until::until;
use reqwest::{Method, RequestBuilder};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const AT_ONCE: usize = 8;
/// A flood ends when the ward was seen to be at work meanwhile, and never before the one or after the other.
const LEAST: usize = 80;
const MOST: usize = 2_000;
/// Lines in the audit, whatever the flood: those before anybody has to wait, and one or two in each minute after.
const FEW: usize = 30;

/// Status and code of one answer; no code where it was no refusal.
type Told = (u16, String);
type Asked = Pin<Box<dyn Future<Output = Told> + Send>>;
type AllTold = BTreeMap<Told, usize>;

/// A ward at work: somebody looks at its board, and a tablet writes.
struct AtWork {
    ward: Ward,
    desk: Desk,
    home: String,
    tablet: Tablet,
    walk: Walk,
}

impl AtWork {
    async fn begin() -> AtWork {
        let ward = Ward::with_oak(|_| {});
        let desk = Desk::log_in(&ward.facility, &ward.facility.url(), "nurse").await.unwrap();
        let tablet = ward.tablet("at-work").await;
        let walk = Walk::of(&tablet).await.unwrap();
        let home = tablet.ward().unwrap().to_string();
        AtWork { ward, desk, home, tablet, walk }
    }

    async fn works(&self) {
        let board = self.desk.board(&self.home).await.unwrap();
        assert!(!board["cards"].as_array().unwrap().is_empty());
        note(&self.tablet, &self.walk, 0, "written meanwhile");
        self.tablet.sync_now().await.unwrap();
        assert_eq!(self.tablet.sync_state().waiting, 0);
    }

    async fn during(&self, ask: impl Fn(usize) -> Asked + Send + Sync + 'static) -> AllTold {
        self.during_at_least(LEAST, ask).await
    }

    async fn during_at_least(&self, least: usize, ask: impl Fn(usize) -> Asked + Send + Sync + 'static) -> AllTold {
        let told = Arc::new(Mutex::new(AllTold::new()));
        let (ask, next, enough) = (Arc::new(ask), Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let flood: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                let (ask, told, next, enough) = (ask.clone(), told.clone(), next.clone(), enough.clone());
                tokio::spawn(async move {
                    loop {
                        let n = next.fetch_add(1, SeqCst);
                        if n >= MOST.max(least) || n >= least && enough.load(SeqCst) {
                            return;
                        }
                        let answer = ask(n).await;
                        *told.lock().unwrap().entry(answer).or_default() += 1;
                    }
                })
            })
            .collect();
        until("the flood has begun", async || (!told.lock().unwrap().is_empty()).then_some(())).await;
        self.works().await;
        self.works().await;
        enough.store(true, SeqCst);
        for task in flood {
            task.await.unwrap();
        }
        self.works().await;
        self.ward.facility.verify().unwrap();
        let told = std::mem::take(&mut *told.lock().unwrap());
        assert!(told.keys().all(|(status, _)| *status < 500), "{told:?}");
        told
    }

    /// Lines of the audit that say so, and not too many.
    fn on_record(&self, act: &str, says: &str) -> Vec<Value> {
        let lines = self.ward.facility.command_with("audit", &["--act", act]).unwrap();
        assert!(lines.len() <= FEW, "{act}: {} lines", lines.len());
        lines.into_iter().filter(|line| line["what"].as_str().unwrap_or_default().contains(says)).collect()
    }
}

/// Sends it; a refusal must say what is wrong and what to do.
fn told(request: RequestBuilder) -> Asked {
    Box::pin(async move {
        let answer = request.send().await.unwrap();
        match answer.status() {
            status if status.is_success() || status.is_redirection() => (status.as_u16(), String::new()),
            _ => refusal(answer).await.unwrap(),
        }
    })
}

fn codes(told: &AllTold) -> Vec<(u16, &str)> {
    told.keys().map(|(status, code)| (*status, code.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_wait_and_are_on_record() {
    let at_work = AtWork::begin().await;
    let people = at_work.ward.facility.people();
    let known = people.iter().find(|p| p["role"] == "manager").unwrap()["login"].clone();
    let nobody = Desk::at(&at_work.ward.facility, &at_work.ward.facility.url()).unwrap();
    let told = at_work.during(move |n| {
        let name = if n % 2 == 0 { known.clone() } else { json!(format!("nobody{n}")) };
        told(nobody.ask(Method::POST, path::LOG_IN).json(&json!({ "name": name, "password": "guess" })))
    });
    assert_eq!(codes(&told.await), [(401, "auth.wrong"), (429, "login.wait")]);
    let lines = at_work.on_record("sign_in_failed", "at the station, name or password, from 127.0.0.1");
    assert!(lines.iter().any(|line| line["staff"].is_string()), "whose log-in was tried: {lines:?}");
    assert!(lines.iter().any(|line| line["staff"].is_null()), "and what is nobody's: {lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_set_up_codes_wait_and_are_on_record_and_a_facility_is_set_up_once() {
    let at_work = AtWork::begin().await;
    let question = json!({ "code": "K7QM-2XWD-9FHT", "facility_name": "Ours", "zone": "Europe/London", "family": "Reyes",
        "given": "Jo", "number": "1", "login": "j.reyes", "password": "amber-heron-lantern-42" });
    let ask = |facility: &Facility| {
        let (nobody, question) = (Desk::at(facility, &facility.url()).unwrap(), question.clone());
        move |_| told(nobody.ask(Method::POST, path::SET_UP).json(&question))
    };
    let told = at_work.during(ask(&at_work.ward.facility)).await;
    assert_eq!(codes(&told), [(403, "set_up.done")]);
    let unset = Facility::unset().unwrap();
    let mut all = AllTold::new();
    let ask = ask(&unset);
    for n in 0..LEAST {
        *all.entry(ask(n).await).or_default() += 1;
    }
    assert_eq!(codes(&all), [(403, "set_up.code"), (429, "login.wait")]);
    let lines = unset.command_with("audit", &["--act", "sign_in_failed"]).unwrap();
    assert!((1..=FEW).contains(&lines.len()) && lines[0]["what"] == "set-up code, from 127.0.0.1", "{lines:?}");
    let nobody = Desk::at(&unset, &unset.url()).unwrap();
    assert_eq!(nobody.get(path::DOOR).await.unwrap()["set_up"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn invites_that_nobody_made_wait_and_are_on_record() {
    let at_work = AtWork::begin().await;
    let (nobody, mut invite) = (at_work.desk.clone(), at_work.ward.invite.parse::<Invite>().unwrap());
    invite.code = "guessed".to_owned();
    let told = at_work.during(move |n| {
        let key = lamplight_domain::chain::SigningKey::from_seed(&[n as u8; 32]);
        let proof = key.sign(&wire::JoinAsk::message(&invite.code));
        let ask = wire::JoinAsk { code: invite.code.clone(), key: key.public(), proof, name: String::new() };
        told(nobody.ask(Method::POST, wire::path::JOIN).json(&ask))
    });
    assert_eq!(codes(&told.await), [(403, "invite.unknown"), (429, "invite.wait")]);
    assert!(!at_work.on_record("invite_refused", "invite.unknown from 127.0.0.1").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_no_tablet_are_refused_and_on_record() {
    let at_work = AtWork::begin().await;
    let (nobody, author) = (at_work.desk.clone(), at_work.tablet.sync_state().author.unwrap());
    let hello = nobody.ask(Method::POST, wire::path::HELLO).send().await.unwrap();
    let nonce = hello.headers()[wire::NONCE_HEADER].to_str().unwrap().to_owned();
    let stranger = lamplight_domain::chain::SigningKey::from_seed(&[5; 32]);
    let signature = stranger.sign(b"anything").to_string();
    let told = at_work.during(move |n| {
        let paths = [wire::path::PUSH, wire::path::FEED, wire::path::OFFER];
        let auth = [
            String::new(),
            "Bearer token".to_owned(),
            // In the name of a tablet; of nobody; over a nonce that the server never gave.
            format!("v1 {author} {nonce} {n} {signature}"),
            format!("v1 {} {nonce} {n} {signature}", stranger.author()),
            format!("v1 {author} {} {n} {signature}", "A".repeat(32)),
        ];
        let ask = nobody.ask(Method::POST, paths[n % 3]).header("content-type", CONTENT_TYPE);
        told(ask.header(AUTH_HEADER, &auth[n % 5]).body(b"{}".to_vec()))
    });
    // A batch of somebody unknown is looked at: its credential might speak for it.
    let expected = [(400, "request.cut_short"), (401, "auth.author"), (401, "auth.nonce"), (401, "auth.signature")];
    assert_eq!(codes(&told.await), expected);
    let lines = at_work.on_record("refused", "from 127.0.0.1");
    assert!(!lines.is_empty() && lines.len() <= 3, "one a minute: {lines:?}");
    assert!(lines[0]["what"].as_str().unwrap().starts_with("/v1/"), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_the_station_without_a_session() {
    let at_work = AtWork::begin().await;
    let mut nobody = at_work.desk.clone();
    nobody.cookie = "__Host-session=guess".to_owned();
    let told = at_work.during(move |n| {
        let rule = &RULES[n % RULES.len()];
        let ask = nobody.ask(rule.method.clone(), &rule.path.replace('*', "x.js"));
        let (told, is_open) = (told(ask.body("[1, 2")), matches!(rule.who, Who::Anyone));
        Box::pin(async move {
            let told = told.await;
            assert!(is_open || told == (401, "auth.session".to_owned()), "{}: {told:?}", rule.path);
            told
        })
    });
    let told = told.await;
    assert!(told.contains_key(&(400, "request.not_json".to_owned())), "{told:?}");
    let lines = at_work.on_record("refused", "auth.session from 127.0.0.1");
    assert!(!lines.is_empty() && lines.len() <= 3, "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wards_of_others_open_to_no_session() {
    let at_work = AtWork::begin().await;
    let (nurse, home) = (at_work.desk.clone(), at_work.home.clone());
    let told = at_work.during(move |n| {
        let wards = [OAK_ID.to_string(), uuid::Uuid::from_u128(n as u128).to_string(), format!("{home}' OR '1'='1")];
        let ward = &wards[n % 3];
        match n % 4 {
            0 => told(nurse.ask(Method::GET, &format!("{}?ward={OAK_ID}&stay={OAK_ID}", path::DAY))),
            1 => told(nurse.ask(Method::GET, &format!("{}?ward={ward}", path::LIVE))),
            2 => told(nurse.ask(Method::POST, path::DISCHARGE).json(&json!({ "ward": ward, "stay": ward }))),
            _ => told(nurse.ask(Method::POST, path::INVITE).json(&json!({ "ward": ward }))),
        }
    });
    assert_eq!(codes(&told.await), [(403, "ward.not_yours")]);
    let lines = at_work.on_record("refused", "ward.not_yours from 127.0.0.1");
    assert!(!lines.is_empty() && lines.len() <= 3 && lines[0]["by_id"].is_string(), "by whom: {lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tablet_said_is_worth_nothing_again_nor_otherwise_nor_for_another_ward() {
    let at_work = AtWork::begin().await;
    let mut raw = Raw::join(&at_work.ward.invite, at_work.ward.facility.address).await;
    let anyone = at_work.desk.clone();
    let (frame, _) = raw.batch(&[]);
    let auth = raw.sign(wire::path::PUSH, &frame);
    let post = {
        let anyone = anyone.clone();
        move |auth: &str, frame: Vec<u8>| {
            let ask = anyone.ask(Method::POST, wire::path::PUSH).header(AUTH_HEADER, auth);
            told(ask.header("content-type", CONTENT_TYPE).body(frame))
        }
    };
    assert_eq!(post(&auth, frame.clone()).await, (200, String::new()), "heard on its way");
    let counter = raw.counter;
    let told = at_work.during(move |n| {
        let mut altered = frame.clone();
        let at = n % altered.len();
        altered[at] ^= 1;
        match n % 3 {
            0 => post(&auth, frame.clone()),
            1 => post(&auth, altered),
            _ => post(&auth.replace(&format!(" {counter} "), &format!(" {} ", counter + n as u64)), frame.clone()),
        }
    });
    assert_eq!(codes(&told.await), [(401, "auth.nonce"), (401, "auth.signature")]);
    let lines = at_work.on_record("refused", "/v1/push: auth.");
    assert!(!lines.is_empty() && lines.len() <= 3, "{lines:?}");
}

/// The very request alone: no word of it is altered.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_comes_again_is_on_record_as_that() {
    let at_work = AtWork::begin().await;
    let mut raw = Raw::join(&at_work.ward.invite, at_work.ward.facility.address).await;
    let (frame, _) = raw.batch(&[]);
    let auth = raw.sign(wire::path::PUSH, &frame);
    let anyone = at_work.desk.clone();
    let told = at_work.during(move |_| {
        let ask = anyone.ask(Method::POST, wire::path::PUSH).header(AUTH_HEADER, &auth);
        told(ask.header("content-type", CONTENT_TYPE).body(frame.clone()))
    });
    let told = told.await;
    assert_eq!(told[&(200, String::new())], 1, "once");
    assert_eq!(codes(&told), [(200, ""), (401, "auth.nonce")]);
    assert!(!at_work.on_record("refused", "/v1/push: auth.replayed from 127.0.0.1").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_packed_nested_or_endless_is_cut_off() {
    let at_work = AtWork::begin().await;
    let mut raw = Raw::join(&at_work.ward.invite, at_work.ward.facility.address).await;
    let (nurse, home) = (at_work.desk.clone(), at_work.home.clone());
    // 64 MiB of one letter, which nobody unpacks.
    let gzip = gzip_of_letters(64 << 20);
    let zstd = zstd::encode_all(std::io::repeat(b'x').take(512 << 20), 3).unwrap();
    let deep = format!("{{\"ward\":\"{home}\",\"of\":{}{}}}", "[".repeat(3_000), "]".repeat(3_000));
    let long = vec![b' '; 300 * 1024];
    let signed: Arc<Mutex<Vec<(String, usize)>>> = Arc::default();
    let packed = [zstd, gzip, b"{\"a\":".repeat(10_000)];
    for n in 0..60 {
        let kind = n % packed.len();
        signed.lock().unwrap().push((raw.sign(wire::path::OFFER, &packed[kind]), kind));
    }
    let told = at_work.during(move |n| {
        let station = |path: &str| nurse.ask(Method::POST, path).header("content-encoding", "gzip");
        match n % 6 {
            0 => told(station(path::LOG_IN).body(packed[1].clone())),
            1 => told(station(path::VERIFY).body(packed[1].clone())),
            2 => told(nurse.ask(Method::POST, path::ACKNOWLEDGE).body(deep.clone())),
            3 => told(nurse.ask(Method::POST, path::LOG_IN).body(long.clone())),
            4 => told(nurse.ask(Method::POST, path::LISTS).body(long.clone())),
            _ => {
                let Some((auth, kind)) = signed.lock().unwrap().pop() else {
                    return told(nurse.ask(Method::POST, wire::path::JOIN).body(deep.clone()));
                };
                let packing = ["zstd", "gzip", "identity"][kind];
                let ask = nurse.ask(Method::POST, wire::path::OFFER).header(AUTH_HEADER, auth);
                told(ask.header("content-encoding", packing).body(packed[kind].clone()))
            }
        }
    });
    let told = told.await;
    let expected = ["request.too_big", "request.encoding", "request.not_json", "access.role", "ward.not_yours"];
    assert!(told.keys().all(|(_, code)| expected.contains(&code.as_str())), "{told:?}");
    for code in ["request.too_big", "request.encoding", "request.not_json"] {
        assert!(told.keys().any(|told| told.1 == code), "{code}: {told:?}");
    }
}

const INJECTED: [&str; 10] = [
    "' OR '1'='1",
    "'; DROP TABLE bodies; --",
    "1); DELETE FROM roster; --",
    "\" UNION SELECT key FROM meta --",
    "../../../../etc/passwd",
    "..\\..\\server.key",
    "%2e%2e%2fserver.key",
    "/etc/passwd\u{0}.png",
    "$(cat /etc/passwd)`id`${jndi:ldap://127.0.0.1/x}",
    "<img src=x onerror=alert(1)>\u{202e}",
];

/// What a question of this shape may look like, and where in it text stands.
fn sample(
    all: &Value,
    shape: &Value,
    at: &str,
    texts: &mut Vec<String>,
    known: &dyn Fn(&str) -> Option<Value>,
) -> Value {
    if let Some(name) = shape["$ref"].as_str() {
        return sample(all, all.pointer(name.trim_start_matches('#')).unwrap(), at, texts, known);
    }
    let kind = shape["type"].as_str().or_else(|| shape["type"][0].as_str());
    match kind {
        Some("object") => {
            let fields = shape["properties"].as_object().into_iter().flatten();
            fields.map(|(name, of)| (name.clone(), sample(all, of, &format!("{at}/{name}"), texts, known))).collect()
        }
        Some("array") => json!([sample(all, &shape["items"], &format!("{at}/0"), texts, known)]),
        Some("string") => {
            texts.push(at.to_owned());
            let name = at.rsplit('/').find(|part| *part != "0").unwrap();
            known(name).unwrap_or_else(|| shape["enum"][0].as_str().unwrap_or("x").into())
        }
        Some("integer") => json!(5),
        Some("boolean") => json!(true),
        other => panic!("{at}: {other:?}"),
    }
}

/// Every field of every question and every word of every address that takes text, as the description names them.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_injected_anywhere_is_text_or_refused() {
    let at_work = AtWork::begin().await;
    let (nurse, mut nobody) = (at_work.desk.clone(), at_work.desk.clone());
    nobody.cookie.clear();
    let url = at_work.ward.facility.url();
    let charge = Desk::log_in(&at_work.ward.facility, &url, "charge_nurse").await.unwrap();
    let all: Value = serde_json::from_str(include_str!("../../../docs/openapi.json")).unwrap();
    let (home, stay) = (json!(at_work.home), json!(at_work.walk.stays[1]));
    let known = |name: &str| match name {
        "ward" | "to" | "wards" => Some(home.clone()),
        "stay" | "into" | "of" => Some(stay.clone()),
        "born" | "date" => Some(json!("1991-03-12")),
        _ => None,
    };
    // Method, address, question: a case each.
    let mut cases: Vec<(Method, String, Option<Value>)> = Vec::new();
    for (path, methods) in all["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let of_query: Vec<&Value> = parameters.filter(|p| p["in"] != "header").collect();
            for injected in INJECTED {
                for (n, _) in of_query.iter().enumerate() {
                    let pairs = of_query.iter().enumerate().map(|(m, p)| {
                        let (name, value) = (p["name"].as_str().unwrap(), known(p["name"].as_str().unwrap()));
                        let value = value.and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
                        (name, if m == n { escaped(injected) } else { value })
                    });
                    let pairs: Vec<_> = pairs.collect();
                    let in_path = path.replace("{file}", &pairs[0].1);
                    let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
                    cases.push((method.clone(), format!("{in_path}?{}", query.join("&")), None));
                }
                let mut texts = Vec::new();
                let shape = &operation["requestBody"]["content"]["application/json"]["schema"];
                let whole = shape.is_object().then(|| sample(&all, shape, "", &mut texts, &known));
                for at in texts {
                    let mut question = whole.clone().unwrap();
                    *question.pointer_mut(&at).unwrap_or_else(|| panic!("{path} {at}")) = json!(injected);
                    cases.push((method.clone(), path.clone(), Some(question)));
                }
            }
        }
    }
    assert!(cases.len() > 500, "{}", cases.len());
    let least = cases.len();
    let told = at_work.during_at_least(least, move |n| {
        let (method, path, question) = &cases[n % cases.len()];
        // What ends or changes a session is asked without one.
        let is_of_session =
            [path::LOG_OUT, path::PASSWORD, path::FACTOR_BEGIN, path::FACTOR_CONFIRM].contains(&path.as_str());
        let who = if is_of_session { &nobody } else { [&nurse, &charge, &nobody][n % 3] };
        let ask = who.ask(method.clone(), path);
        told(match question {
            Some(question) => ask.json(question),
            None => ask,
        })
    });
    let told = told.await;
    assert!(told.keys().all(|(status, code)| !code.is_empty() || *status < 400), "{told:?}");
    let unharmed = at_work.desk.get(path::WARDS).await.unwrap();
    assert_eq!(unharmed["wards"].as_array().unwrap_or(unharmed.as_array().unwrap_or(&vec![])).len(), 2, "{unharmed}");
    for act in ["refused", "sign_in_failed", "invite_refused"] {
        at_work.on_record(act, "");
    }
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Addresses as no browser would send them: nothing of the facility's folder comes out.
#[tokio::test(flavor = "multi_thread")]
async fn no_address_leads_out_of_the_page() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ward = Ward::open();
    let (invite, to) = (ward.invite.parse::<Invite>().unwrap(), ward.facility.address);
    let key = std::fs::read_to_string(ward.facility.data().join("server.key")).unwrap();
    let said = tokio::task::spawn_blocking(move || {
        let paths = [
            "/assets/../../server.key",
            "/assets/..%2f..%2fserver.key",
            "/assets/%2e%2e/%2e%2e/server.key",
            "/assets/..%5c..%5cserver.key",
            "/assets//etc/passwd",
            "/assets/%2fetc%2fpasswd",
            "/assets/%00",
            "/assets/%ff",
            "//etc/passwd",
            "/station/../server.db",
            "/station/api/../../v1/push",
        ];
        paths.map(|path| {
            let mut line = line(&invite, to);
            line.write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).unwrap();
            (path, all_said(&mut line))
        })
    });
    for (path, said) in said.await.unwrap() {
        assert!(said.starts_with("HTTP/1.1 4") && said.contains("\"code\""), "{path}: {said}");
        assert!(!said.contains(key.trim()) && !said.contains("root:"), "{path}: {said}");
    }
}

/// So many letters x as gzip (RFC 1952): blocks of a fixed code (RFC 1951) in which one letter is followed by "258 more".
fn gzip_of_letters(count: usize) -> Vec<u8> {
    let (mut bits, mut bytes) = (Vec::new(), vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    let put = |bits: &mut Vec<bool>, code: u16, length: u32| bits.extend((0..length).rev().map(|n| code >> n & 1 == 1));
    // The last block, of the fixed code; the letter; "258, one back" again and again; the end.
    bits.extend([true, true, false]);
    put(&mut bits, 0x30 + u16::from(b'x'), 8);
    for _ in 0..count / 258 {
        put(&mut bits, 0b1100_0101, 8);
        put(&mut bits, 0, 5);
    }
    put(&mut bits, 0, 7);
    bytes.extend(bits.chunks(8).map(|byte| byte.iter().enumerate().map(|(n, bit)| u8::from(*bit) << n).sum::<u8>()));
    bytes.extend([0; 8]);
    bytes
}

type Line = StreamOwned<ClientConnection, TcpStream>;

fn line(invite: &Invite, to: SocketAddr) -> Line {
    let mut roots = RootCertStore::empty();
    roots.add(invite.ca_der.clone().into()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(server_name(invite.facility)).unwrap();
    let mut socket = TcpStream::connect(to).unwrap();
    // The test must end, whatever the server does.
    socket.set_read_timeout(Some(Duration::from_secs(90))).unwrap();
    let mut tls = ClientConnection::new(Arc::new(config), name).unwrap();
    while tls.is_handshaking() {
        tls.complete_io(&mut socket).unwrap();
    }
    StreamOwned::new(tls, socket)
}

fn all_said(line: &mut Line) -> String {
    let (mut said, mut some) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = line.read(&mut some) {
        said.extend_from_slice(&some[..read]);
        if said.ends_with(b"}") {
            break;
        }
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// Each sends a byte a second of its question's head, or of its content, or nothing at all; none is waited for for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_byte_a_second_and_silence_hold_nobody_up() {
    const EACH: usize = 25;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let at_work = AtWork::begin().await;
    let (invite, to) = (at_work.ward.invite.parse::<Invite>().unwrap(), at_work.ward.facility.address);
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: localhost\r\n{CSRF_HEADER}: 1\r\ncontent-length: 5000\r\n\r\n",
        path::LOG_IN
    );
    let slow = move || {
        let lines = |begins: &str| -> Vec<Line> {
            let mut lines: Vec<Line> = (0..EACH).map(|_| line(&invite, to)).collect();
            lines.iter_mut().for_each(|line| line.write_all(begins.as_bytes()).unwrap());
            lines
        };
        let (mut heads, mut contents, mut silent) =
            (lines("POST /v1/join HTTP/1.1\r\nhost: "), lines(&head), lines(""));
        let half_open: Vec<TcpStream> = (0..EACH).map(|_| TcpStream::connect(to).unwrap()).collect();
        // Then they wait what the server makes of it.
        for _ in 0..6 {
            std::thread::sleep(Duration::from_secs(1));
            for line in heads.iter_mut().chain(&mut contents) {
                line.write_all(b"x").and_then(|()| line.flush()).unwrap();
            }
        }
        let answers: Vec<String> = contents.iter_mut().map(all_said).collect();
        let nothing: Vec<String> = heads.iter_mut().chain(&mut silent).map(all_said).collect();
        drop(half_open);
        (answers, nothing)
    };
    let slow = tokio::task::spawn_blocking(slow);
    let mut passes = 0;
    while !slow.is_finished() {
        at_work.works().await;
        passes += 1;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(passes > 1, "it went on meanwhile");
    let (answers, nothing) = slow.await.unwrap();
    for said in answers {
        assert!(said.starts_with("HTTP/1.1 408") && said.contains("request.slow"), "{said}");
    }
    for said in nothing {
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
    }
    at_work.works().await;
}
