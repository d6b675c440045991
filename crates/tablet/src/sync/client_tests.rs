//! What is not the facility server is never taken for it, and nobody waits for ever.

use super::client::Client;
use super::*;
use crate::testing::{HandClock, facility, facility_key, open};
use lamplight_domain::time::Ms;
use lamplight_domain::wire::Invite;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

/// Answers every connection with these bytes.
fn answering(bytes: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = stream;
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(bytes);
        }
    });
    address
}

fn invite(address: SocketAddr) -> Invite {
    let key = rcgen::KeyPair::generate().unwrap();
    let ca = rcgen::CertificateParams::new(vec![]).unwrap().self_signed(&key).unwrap();
    Invite {
        facility: facility(),
        url: format!("https://{address}"),
        code: "code".into(),
        ca_der: ca.der().to_vec(),
        facility_key: facility_key().public(),
        expires_at: Ms(crate::testing::START.0 + 900_000),
    }
}

#[tokio::test]
async fn a_login_page_is_not_a_server() {
    let address = answering(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 5\r\n\r\n<html");
    let client = Client::of_invite(&invite(address), HandClock::new()).unwrap();
    assert!(matches!(client.hello().await, Err(Trouble::NotTheServer(_))));
}

#[tokio::test]
async fn joining_says_in_plain_words_what_is_wrong() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = open(dir.path(), &clock);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nowhere = tablet.join(&invite(closed).to_string(), "W-1").await.unwrap_err();
    assert_eq!(nowhere.code, "server.unreachable");
    assert!(!nowhere.what.contains("127.0.0.1"), "no address in it: {}", nowhere.what);
    let portal = answering(b"HTTP/1.1 302 Found\r\nlocation: https://login.example/\r\n\r\n");
    let refused = tablet.join(&invite(portal).to_string(), "W-1").await.unwrap_err();
    assert_eq!(refused.code, "server.not_the_facility");
    assert_eq!(tablet.join("lamplight:half", "").await.unwrap_err().code, "invite.unreadable");
    assert!(tablet.sync_state().author.is_none());
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = Client::of_invite(&invite(address), HandClock::new()).unwrap();
    assert!(matches!(client.hello().await, Err(Trouble::Unreachable(_))));
}
