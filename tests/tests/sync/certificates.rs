//! Every certificate, and everything else, that may answer in the facility server's place, against the tablet's own
//! client: a joined tablet and a fresh one. What is not the server is named as that, nothing is said to it, and nothing
//! that the tablet holds is touched; the right one is believed whatever the tablet's clock says.

use crate::fixture::{Holdings, Ward, holds, note};
use crate::story_clock::{StoryClock, opened};
use lamplight_domain::time::HOUR_MS;
use lamplight_domain::wire::{Invite, Trouble, path, server_name};
use lamplight_server::facility::Identity;
use lamplight_tablet::{Clock, Options, Tablet};
use lamplight_tests::process::run;
use lamplight_tests::programs;
use lamplight_tests::sim::tablet::Walk;
use lamplight_tests::until::until;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const YEAR_MS: i64 = 365 * 24 * HOUR_MS;
/// How a TLS record of a handshake begins.
const HANDSHAKE: char = '\u{16}';
const PAGE: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>";

/// Who answers in the server's place: every connection with the same words. `tls`: none where it speaks plainly.
struct Impostor {
    address: SocketAddr,
    /// What could be read of what was said to it.
    heard: Arc<Mutex<Vec<u8>>>,
    connections: Arc<AtomicUsize>,
}

impl Impostor {
    fn saying(tls: Option<ServerConfig>, answer: String) -> Impostor {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (heard, connections) = (Arc::<Mutex<Vec<u8>>>::default(), Arc::<AtomicUsize>::default());
        let (hears, counts, tls) = (heard.clone(), connections.clone(), tls.map(Arc::new));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                counts.fetch_add(1, SeqCst);
                // Only so that a tablet which says nothing holds nobody up.
                stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                let mut line: Box<dyn Talk> = match &tls {
                    Some(tls) => Box::new(StreamOwned::new(ServerConnection::new(tls.clone()).unwrap(), stream)),
                    None => Box::new(stream),
                };
                let mut some = [0; 16 * 1024];
                if let Ok(read @ 1..) = line.read(&mut some) {
                    hears.lock().unwrap().extend_from_slice(&some[..read]);
                    let _ = line.write_all(answer.as_bytes());
                    let _ = line.flush();
                }
            }
        });
        Impostor { address, heard, connections }
    }

    fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }
}

trait Talk: Read + Write {}
impl<T: Read + Write> Talk for T {}

/// What a certificate is to say.
struct Leaf<'a> {
    issuer: &'a Issuer<'static, KeyPair>,
    name: String,
    years: (i32, i32),
    /// Shown behind it.
    chain: Vec<CertificateDer<'static>>,
    versions: &'static [&'static SupportedProtocolVersion],
}

impl Leaf<'_> {
    fn made(&self) -> (CertificateParams, KeyPair, CertificateDer<'static>) {
        let mut params = CertificateParams::new(vec![self.name.clone()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, self.name.clone());
        (params.not_before, params.not_after) = (date_time_ymd(self.years.0, 1, 1), date_time_ymd(self.years.1, 1, 1));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, self.issuer).unwrap().der().clone();
        (params, key, certificate)
    }

    fn served(self) -> ServerConfig {
        let (_, key, certificate) = self.made();
        config([vec![certificate], self.chain].concat(), &key, self.versions)
    }
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: &KeyPair,
    versions: &'static [&'static SupportedProtocolVersion],
) -> ServerConfig {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    builder.with_no_client_auth().with_single_cert(chain, key).unwrap()
}

static NEW: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];
static OLD: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];

/// An authority that this machine, or nobody, trusts: with its own certificate.
fn authority(name: &str) -> (Issuer<'static, KeyPair>, CertificateDer<'static>, String) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (Issuer::new(params, key), certificate.der().clone(), certificate.pem())
}

/// The facility's own authority, as whoever stole its key has it.
fn own_authority(ward: &Ward) -> (Issuer<'static, KeyPair>, CertificateDer<'static>) {
    let identity = Identity::read(&ward.database()).unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("Lamplight facility {}", identity.facility.0));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::from_pkcs8_der_and_sign_algo(
        &identity.authority.key_der.as_slice().into(),
        &rcgen::PKCS_ECDSA_P256_SHA256,
    );
    (Issuer::new(params, key.unwrap()), identity.authority.der.into())
}

/// One of those who answer, and why a tablet says that it is not the server.
struct Row {
    name: &'static str,
    impostor: Impostor,
    why: &'static str,
    /// The certificate is right, so that the tablet greets it: with an empty question.
    is_greeted: bool,
}

fn rows(ward: &Ward, elsewhere: &Impostor) -> Vec<Row> {
    let (own, own_der) = own_authority(ward);
    let (other, other_der, _) = authority("Another authority");
    let invite: Invite = ward.invite.parse().unwrap();
    let name = server_name(invite.facility);
    let leaf =
        |issuer, name: &str, years, chain, versions| Leaf { issuer, name: name.to_owned(), years, chain, versions };
    let right = || leaf(&own, &name, (2020, 2095), vec![own_der.clone()], NEW).served();
    let row = |name, tls, answer: &str, why| Row {
        name,
        impostor: Impostor::saying(tls, answer.to_owned()),
        why,
        is_greeted: false,
    };
    let greeted = |name, answer: &str, why| Row { is_greeted: true, ..row(name, Some(right()), answer, why) };
    let of = |leaf: Leaf<'_>| Some(leaf.served());
    // A certificate of the facility for a server, whose key plays the authority.
    let (mut as_authority, key, server_der) = leaf(&own, &name, (2020, 2095), vec![], NEW).made();
    as_authority.is_ca = IsCa::ExplicitNoCa;
    let of_leaf = Issuer::new(as_authority, key);
    let own_leaf_key = KeyPair::generate().unwrap();
    let self_signed = CertificateParams::new(vec![name.clone()]).unwrap().self_signed(&own_leaf_key).unwrap();
    let redirect = |status: &str, to: String| {
        format!("HTTP/1.1 {status}\r\nlocation: {to}{}\r\ncontent-length: 0\r\n\r\n", path::HELLO)
    };
    vec![
        row(
            "another authority",
            of(leaf(&other, &name, (2020, 2095), vec![other_der], NEW)),
            PAGE,
            "another authority",
        ),
        row("expired", of(leaf(&own, &name, (2020, 2021), vec![own_der.clone()], NEW)), PAGE, "has expired"),
        row("not valid yet", of(leaf(&own, &name, (2090, 2095), vec![own_der.clone()], NEW)), PAGE, "not valid yet"),
        row(
            "another facility's name",
            of(leaf(&own, "lamplight-5.internal", (2020, 2095), vec![], NEW)),
            PAGE,
            "for another facility",
        ),
        row(
            "the address for a name",
            of(leaf(&own, "127.0.0.1", (2020, 2095), vec![], NEW)),
            PAGE,
            "for another facility",
        ),
        row(
            "signed by itself",
            Some(config(vec![self_signed.der().clone()], &own_leaf_key, NEW)),
            PAGE,
            "another authority",
        ),
        row(
            "signed by a server's key",
            of(leaf(&of_leaf, &name, (2020, 2095), vec![server_der, own_der.clone()], NEW)),
            PAGE,
            "certificate is",
        ),
        row(
            "TLS 1.2 alone",
            of(leaf(&own, &name, (2020, 2095), vec![own_der.clone()], OLD)),
            PAGE,
            "does not speak TLS",
        ),
        row("no TLS", None, PAGE, "does not speak TLS"),
        greeted("a page", PAGE, "such as a login page"),
        greeted("301 to plain HTTP", &redirect("301 Moved", format!("http://{}", elsewhere.address)), "status 301"),
        greeted("301 to another host", &redirect("301 Moved", format!("https://{}", elsewhere.address)), "status 301"),
        greeted("307 to plain HTTP", &redirect("307 Again", format!("http://{}", elsewhere.address)), "status 307"),
        greeted("307 to another host", &redirect("307 Again", format!("https://{}", elsewhere.address)), "status 307"),
    ]
}

/// Every record, and how many of the own ones are confirmed and wait.
fn held(tablet: &Tablet) -> (Holdings, [u64; 3]) {
    let state = tablet.sync_state();
    (holds(tablet), [state.head, state.confirmed, state.waiting])
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_the_server_is_named_and_told_nothing_and_nothing_held_is_touched() {
    let ward = Ward::open();
    let mut tablet = ward.tablet("joined").await;
    let walk = Walk::of(&tablet).await.unwrap();
    let waits = note(&tablet, &walk, 0, "for the server alone").to_string();
    let before = held(&tablet);
    let elsewhere = Impostor::saying(None, PAGE.to_owned());
    for (n, row) in rows(&ward, &elsewhere).into_iter().enumerate() {
        let Row { name, impostor, why, is_greeted } = row;
        ward.cable.lead_to(impostor.address);
        // Its program starts anew, in the same boot: no connection of before is left.
        tablet.stop();
        drop(tablet);
        tablet = until("its folder is free", async || Tablet::open(&ward.dir("joined"), Options::default()).ok()).await;
        match tablet.sync_now().await {
            Err(Trouble::NotTheServer(said)) => assert!(said.contains(why), "{name}: {said}"),
            other => panic!("{name}: {other:?}"),
        }
        let troubles = tablet.status().troubles;
        assert!(
            troubles.iter().any(|t| t.code == "server.not_the_facility" && t.what.contains(why)),
            "{name}: {troubles:?}"
        );
        assert!(held(&tablet) == before, "{name}: what it holds was touched");
        let dir = ward.dir(&format!("fresh-{n}"));
        let fresh = Tablet::open(&dir, Options::default()).unwrap();
        let refusal = fresh.join(&ward.invite, "").await.unwrap_err();
        assert_eq!(refusal.code, "server.not_the_facility", "{name}");
        assert!(refusal.what.contains(why), "{name}: {}", refusal.what);
        assert!(fresh.sync_state().author.is_none(), "{name}");
        assert!(impostor.connections.load(SeqCst) >= 2, "{name}: nobody called");
        let heard = impostor.heard();
        assert_eq!(heard.contains("HTTP/1.1"), is_greeted, "{name}: {heard}");
        // Who speaks no TLS hears that TLS is offered, and the facility's name.
        assert!(is_greeted || heard.is_empty() || heard.starts_with(HANDSHAKE), "{name}: {heard}");
        for line in heard.lines().filter(|l| l.starts_with("POST") || l.starts_with("content-length")) {
            let is_a_greeting =
                [format!("POST {} HTTP/1.1", path::HELLO), "content-length: 0".to_owned()].contains(&line.to_owned());
            assert!(is_a_greeting, "{name}: {line}");
        }
        let invite: Invite = ward.invite.parse().unwrap();
        assert!(!heard.contains(&invite.code) && !heard.contains("lamplight-auth"), "{name}: {heard}");
    }
    assert_eq!(elsewhere.connections.load(SeqCst), 0, "nobody follows anybody");
    ward.cable.lead_to(ward.facility.address);
    tablet.sync_now().await.unwrap();
    assert!(ward.server_holds().kinds.contains_key(&waits));
    ward.facility.verify().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_server_is_believed_whatever_the_clock_of_the_tablet_says() {
    let mut ward = Ward::open();
    let truth = Arc::<AtomicI64>::default();
    for (name, wrong_by_ms) in
        [("right", 0), ("years-behind", -9 * YEAR_MS), ("years-ahead", 9 * YEAR_MS), ("1970", i64::MIN)]
    {
        let clock = StoryClock::of(&truth);
        let wrong_by_ms = if wrong_by_ms == i64::MIN { -clock.read().wall.0 } else { wrong_by_ms };
        clock.starts_again(wrong_by_ms);
        let dir = ward.dir(name);
        let tablet = opened(&dir, &clock);
        tablet.join(&ward.invite, "").await.unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        tablet.sync_now().await.unwrap_or_else(|trouble| panic!("{name}: {trouble}"));
        // The same after a boot, where nothing but the wall clock and the last contact say what time it is.
        tablet.stop();
        drop(tablet);
        clock.starts_again(wrong_by_ms);
        ward.facility.stop().unwrap();
        ward.facility.start().unwrap();
        opened(&dir, &clock).sync_now().await.unwrap_or_else(|trouble| panic!("{name}, after a boot: {trouble}"));
    }
}

/// What the machine trusts, and which proxy it names, is the machine's: a program with these surroundings goes past both.
#[tokio::test(flavor = "multi_thread")]
async fn neither_an_authority_that_the_machine_trusts_nor_a_proxy_that_it_names_has_a_say() {
    let ward = Ward::open();
    drop(ward.tablet("joined").await);
    let invite: Invite = ward.invite.parse().unwrap();
    let (system, system_der, pem) = authority("An authority of the system");
    let roots = ward.dir("roots.pem");
    std::fs::write(&roots, pem).unwrap();
    let proxy = Impostor::saying(None, "HTTP/1.1 200 Connection established\r\n\r\n".to_owned());
    let sync = || {
        let mut command = Command::new(programs::path("lamplight-sim"));
        command.args(["tablet", "--dir"]).arg(ward.dir("joined")).arg("sync").env("SSL_CERT_FILE", &roots);
        for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env(name, format!("http://{}", proxy.address));
        }
        run(command).unwrap()
    };
    let (status, _, err) = sync();
    assert!(status.success(), "{err}");
    let leaf = Leaf {
        issuer: &system,
        name: server_name(invite.facility),
        years: (2020, 2095),
        chain: vec![system_der],
        versions: NEW,
    };
    let impostor = Impostor::saying(Some(leaf.served()), PAGE.to_owned());
    ward.cable.lead_to(impostor.address);
    let (status, _, err) = sync();
    assert!(!status.success() && err.contains("another authority"), "{err}");
    assert!(impostor.connections.load(SeqCst) > 0 && impostor.heard().is_empty());
    assert_eq!(proxy.connections.load(SeqCst), 0);
}
