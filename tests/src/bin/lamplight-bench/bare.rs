//! A bare server and its clients: the same TLS, the same HTTP stack, the same tables, and nothing else. No chain, no
//! signature, no protocol.

use crate::rows::{self, Row};
use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path as In, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use lamplight_domain::ids::FacilityId;
use lamplight_domain::time::Ms;
use lamplight_domain::wire::{Blob, decode, encode, server_name};
use lamplight_server::tls::Authority;
use rusqlite::Connection;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// As the tablet compresses a batch, and the server a page.
const BATCH_LEVEL: i32 = 6;
const PAGE_LEVEL: i32 = 3;

struct Inner {
    /// The one writer.
    db: Mutex<Writing>,
    /// What will be sent, with every column, one after the other.
    rows: Vec<Row>,
    /// What a reader is to be sent, read from here.
    source: Option<Mutex<(Connection, Vec<i64>)>>,
}

struct Writing {
    db: Connection,
    /// Rows of the feed so far.
    feed: i64,
    /// A transaction is under way.
    open: bool,
}

pub struct Bare {
    inner: Arc<Inner>,
    pub address: SocketAddr,
    facility: FacilityId,
    authority: Vec<u8>,
    handle: Handle<SocketAddr>,
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

impl Bare {
    /// Serves a fresh file. `authors`: how many chains the rows make, each from 1.
    pub fn serve(file: &Path, rows: Vec<Row>, authors: i64) -> Result<Bare> {
        let db = rows::server_file(file)?;
        for no in 2..=authors {
            db.execute(
                "INSERT INTO authors (no, id, key, signature, first_seen_at) VALUES (?1, randomblob(16), zeroblob(32), x'00', 0)",
                [no],
            )?;
        }
        Bare::start(db, rows, None)
    }

    /// Gives out the rows with these numbers of a facility's one feed.
    pub fn give(file: &Path, source: Connection, numbers: Vec<i64>) -> Result<Bare> {
        Bare::start(rows::server_file(file)?, Vec::new(), Some(Mutex::new((source, numbers))))
    }

    fn start(db: Connection, rows: Vec<Row>, source: Option<Mutex<(Connection, Vec<i64>)>>) -> Result<Bare> {
        let facility = FacilityId(Uuid::new_v4());
        let now = Ms(std::time::UNIX_EPOCH.elapsed()?.as_millis() as i64);
        let authority = Authority::make(facility, 1, now)?;
        let tls = RustlsConfig::from_config(Arc::new(authority.server_config(facility, &[], &[], now)?));
        let inner = Arc::new(Inner { db: Mutex::new(Writing { db, feed: 0, open: false }), rows, source });
        let app = Router::new()
            .route("/take/{first}/{count}/{author}/{commit}", post(take))
            .route("/give", get(give))
            .layer(DefaultBodyLimit::disable())
            .with_state(inner.clone());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (address, handle) = (listener.local_addr()?, Handle::new());
        let server = axum_server::from_tcp_rustls(listener, tls)?.handle(handle.clone());
        tokio::spawn(server.serve(app.into_make_service()));
        Ok(Bare { inner, address, facility, authority: authority.der, handle })
    }

    /// A client with a connection of its own.
    pub fn client(&self) -> Result<Client> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.authority.clone()))?;
        let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = server_name(self.facility);
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .resolve(&name, self.address)
            .no_proxy()
            .tcp_nodelay(true)
            .build()?;
        Ok(Client { http, base: format!("https://{name}:{}", self.address.port()) })
    }

    pub fn rows(&self, range: std::ops::Range<usize>) -> Vec<Blob> {
        self.inner.rows[range].iter().map(|row| Blob::Bytes(row.bytes.clone())).collect()
    }

    /// Rows that the file holds.
    pub fn held(&self) -> Result<usize> {
        let writing = self.inner.db.lock().expect("no thread panics with it");
        Ok(writing.db.query_row("SELECT count(*) FROM feed", [], |r| r.get::<_, i64>(0))? as usize)
    }
}

pub struct Client {
    http: reqwest::Client,
    base: String,
}

impl Client {
    /// Sends blobs, which are the rows from `first` on, as the chain of `author`. They are durable when it returns, if
    /// `commit`, and what was sent before with it. Returns the bytes of the body as sent.
    pub async fn send(&self, blobs: &[Blob], first: usize, author: i64, commit: bool) -> Result<usize> {
        let body = zstd::bulk::compress(&encode(&"bare", blobs), BATCH_LEVEL)?;
        let (sent, count) = (body.len(), blobs.len());
        let url = format!("{}/take/{first}/{count}/{author}/{commit}", self.base);
        let answer = self.http.post(url).body(body).send().await?.error_for_status()?.text().await?;
        let held: usize = answer.parse().context("the bare server answers with a number")?;
        anyhow::ensure!(held == count, "the bare server took {held} of {count}");
        Ok(sent)
    }

    /// The bodies that the server gives out.
    pub async fn fetch(&self) -> Result<Vec<Blob>> {
        let answer = self.http.get(format!("{}/give", self.base)).send().await?.error_for_status()?.bytes().await?;
        let (_, blobs): (String, _) = decode(&zstd::decode_all(answer.as_ref())?, usize::MAX)?;
        Ok(blobs)
    }
}

fn failed(e: impl std::fmt::Display) -> (StatusCode, String) {
    (StatusCode::INTERNAL_SERVER_ERROR, e.to_string())
}

async fn take(
    State(inner): State<Arc<Inner>>,
    In((first, count, author, commit)): In<(usize, usize, i64, bool)>,
    body: Bytes,
) -> Result<String, (StatusCode, String)> {
    let taken = move || -> Result<usize> {
        let (_, blobs): (String, _) = decode(&zstd::decode_all(body.as_ref())?, usize::MAX)?;
        let mut writing = inner.db.lock().expect("no thread panics with it");
        if !writing.open {
            writing.db.execute_batch("BEGIN IMMEDIATE")?;
            writing.open = true;
        }
        let rows = inner.rows.get(first..first + count).context("rows that are not there")?;
        rows::into_server_file(&writing.db, rows, author, writing.feed)?;
        writing.feed += count as i64;
        if commit {
            writing.db.execute_batch("COMMIT")?;
            writing.open = false;
        }
        Ok(blobs.len())
    };
    let taken = tokio::task::spawn_blocking(taken).await.map_err(failed)?;
    taken.map(|n| n.to_string()).map_err(failed)
}

async fn give(State(inner): State<Arc<Inner>>) -> Result<Vec<u8>, (StatusCode, String)> {
    let read = move || -> Result<Vec<u8>> {
        let source = inner.source.as_ref().context("nothing to give")?;
        let source = source.lock().expect("no thread panics with it");
        let (db, numbers) = &*source;
        let mut statement = db.prepare_cached(
            "SELECT b.bytes FROM feed f JOIN bodies b ON b.no = f.body WHERE f.ward = 1 AND f.n = ?1",
        )?;
        let mut blobs = Vec::new();
        for n in numbers {
            blobs.push(Blob::Bytes(statement.query_row([n], |r| r.get(0))?));
        }
        Ok(zstd::bulk::compress(&encode(&"bare", &blobs), PAGE_LEVEL)?)
    };
    tokio::task::spawn_blocking(read).await.map_err(failed)?.map_err(failed)
}
