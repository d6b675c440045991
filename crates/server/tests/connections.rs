//! The server as clients without manners find it, and as browsers do: bytes over TLS, written by hand.

#![allow(clippy::unwrap_used)] // A test may fail.

mod common;

use common::House;
use lamplight_domain::wire::path;
use lamplight_server::{Options, Running, serve};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Error, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

type Line = StreamOwned<ClientConnection, TcpStream>;

/// Whoever has this facility's authority installed, and no other.
#[derive(Clone)]
struct Client {
    ca: PathBuf,
    port: u16,
}

impl Client {
    /// Up to the end of the handshake, with what the certificate must be for.
    fn open(&self, host: &str) -> Result<Line, Error> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.ca).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let mut tls = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut tcp = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], self.port)))?;
        // Only so that a server which never answers fails the test.
        tcp.set_read_timeout(Some(Duration::from_secs(90)))?;
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp)?;
        }
        Ok(StreamOwned::new(tls, tcp))
    }
}

/// One answer: its head and, as it is all that there is to it, its first bytes of content.
fn answer(line: &mut Line) -> Result<String, Error> {
    let mut said = Vec::new();
    let mut some = [0; 4096];
    loop {
        let got = line.read(&mut some)?;
        said.extend_from_slice(&some[..got]);
        let text = String::from_utf8_lossy(&said);
        let length = text.split("content-length: ").nth(1).and_then(|t| t.split("\r\n").next()?.parse::<usize>().ok());
        if let Some((head, content)) = text.split_once("\r\n\r\n")
            && length.is_some_and(|l| content.len() >= l || head.starts_with("HTTP/1.1 200"))
        {
            return Ok(text.into_owned());
        }
        if got == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
}

fn post(path: &str, length: usize) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: localhost\r\nlamplight-station: 1\r\ncontent-length: {length}\r\n\r\n")
}

fn look(line: &mut Line) -> Result<String, Error> {
    line.write_all(b"GET /nowhere HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
    answer(line)
}

async fn served(house: &House, listen: [u8; 4], options: Options) -> (Running, Client) {
    let running = serve(&house.path, (listen, 0).into(), options).await.unwrap();
    let client = Client { ca: house.path.join("ca.pem"), port: running.address.port() };
    (running, client)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

const HERE: [u8; 4] = [127, 0, 0, 1];

#[tokio::test]
async fn who_reads_only_after_writing_everything_is_told_that_it_is_too_big() {
    let house = House::new();
    let (running, client) = served(&house, HERE, Options::default()).await;
    let (first, then) = blocking(move || {
        let mut line = client.open("localhost").unwrap();
        // More than the buffers between the two hold.
        let message = vec![b'x'; 7 * 1024 * 1024];
        line.write_all(post(path::JOIN, message.len()).as_bytes()).unwrap();
        line.write_all(&message).unwrap();
        line.flush().unwrap();
        (answer(&mut line).unwrap(), look(&mut line).unwrap())
    })
    .await;
    assert!(first.starts_with("HTTP/1.1 413") && first.contains("request.too_big"), "{first}");
    assert!(then.contains("request.unknown"), "the connection goes on: {then}");
    running.stop().await;
}

#[tokio::test]
async fn a_question_that_never_ends_is_refused_and_let_go() {
    let house = House::new();
    let (running, client) = served(&house, HERE, Options::default()).await;
    let said = blocking(move || {
        let mut line = client.open("localhost").unwrap();
        line.write_all(post(lamplight_domain::station::path::LOG_IN, 60).as_bytes()).unwrap();
        line.write_all(b"{").unwrap();
        answer(&mut line).unwrap()
    })
    .await;
    assert!(said.starts_with("HTTP/1.1 408") && said.contains("request.slow"), "{said}");
    running.stop().await;
}

#[tokio::test]
async fn past_so_many_connections_a_new_one_is_let_go_at_once_and_the_others_go_on() {
    let house = House::new();
    let (running, client) = served(&house, HERE, Options { connections: Some(2), ..Options::default() }).await;
    blocking(move || {
        let mut first = client.open("localhost").unwrap();
        let mut second = client.open("localhost").unwrap();
        look(&mut first).unwrap();
        assert!(client.open("localhost").and_then(|mut third| look(&mut third)).is_err(), "there is no place for it");
        look(&mut first).unwrap();
        look(&mut second).unwrap();
        drop(first);
        // The server hears of it a moment later.
        let again = (0..1000).find_map(|_| {
            std::thread::sleep(Duration::from_millis(5));
            client.open("localhost").and_then(|mut third| look(&mut third)).ok()
        });
        assert!(again.is_some(), "a place that was given back is taken again");
        look(&mut second).unwrap();
    })
    .await;
    running.stop().await;
}

#[tokio::test]
async fn a_browser_can_verify_the_server_by_the_host_that_it_was_given() {
    let house = House::new();
    let public_url = Some("https://station.hospital.example:7443".to_owned());
    let (running, client) = served(&house, [0, 0, 0, 0], Options { public_url, ..Options::default() }).await;
    let everywhere = client.clone();
    blocking(move || {
        for host in ["station.hospital.example", "localhost", "127.0.0.1"] {
            look(&mut everywhere.open(host).unwrap()).unwrap();
        }
        for host in ["other.hospital.example", "10.0.4.7"] {
            assert!(everywhere.open(host).is_err(), "{host} is not this server");
        }
    })
    .await;
    running.stop().await;
    let public_url = Some("https://10.0.4.7:7443".to_owned());
    let (running, by_address) = served(&house, HERE, Options { public_url, ..Options::default() }).await;
    blocking(move || look(&mut by_address.open("10.0.4.7").unwrap()).unwrap()).await;
    running.stop().await;
    let public_url = Some("http://station.hospital.example".to_owned());
    let refused = serve(&house.path, (HERE, 0).into(), Options { public_url, ..Options::default() }).await;
    assert_eq!(refused.err().unwrap().code, "url.not_https");
}
