//! A facility that is served: the listening socket, TLS, the tasks beside it, and how it ends.

use super::{connections, hosts::hosts, router};
use crate::facility::FacilityServer;
use crate::surroundings::Surroundings;
use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use hyper_util::rt::TokioTimer;
use lamplight_domain::refusal::Refusal;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

const HANDSHAKE: Duration = Duration::from_secs(10);
const HEADERS: Duration = Duration::from_secs(15);
/// Requests under way at the end get so long.
const GRACE: Duration = Duration::from_secs(5);
/// How often it is looked whether another process changed the roster.
const NOTICE: Duration = Duration::from_secs(1);
/// How often the tablets' last contacts are written down: a crash forgets no more.
const CONTACTS: Duration = Duration::from_secs(5);

#[derive(Clone, Default)]
pub struct Options {
    /// What tablets and people are told to call, where it is not the address listened on.
    pub public_url: Option<String>,
    /// Serve a demo also where other machines reach it: whoever reads its log-ins somewhere walks in.
    pub demo_on_network: bool,
    /// How many connections may be open at once, where it is not what the process has files for.
    pub connections: Option<usize>,
}

/// A facility server at work.
pub struct Running {
    /// Where it listens, with the port that it got.
    pub address: SocketAddr,
    /// "https://127.0.0.1:40123"
    pub url: String,
    /// "K7QM-2XWD-9FHT": by it the first administrator is made. None where there is one.
    pub set_up: Option<Zeroizing<String>>,
    facility: FacilityServer,
    handle: Handle<SocketAddr>,
    serving: JoinHandle<std::io::Result<()>>,
    beside: JoinHandle<((), ())>,
}

/// Serves a facility's folder. Errors: "url.not_https", "demo.network", "listen.busy", "listen.address", and those of [`FacilityServer::open`].
pub async fn serve(path: &Path, listen: SocketAddr, options: Options) -> Result<Running, Refusal> {
    let folder = path.to_owned();
    let opened = tokio::task::spawn_blocking(move || FacilityServer::open(&folder, Surroundings::real()));
    let facility = opened.await.map_err(|_| could_not("The facility could not be opened."))??;
    serve_facility(facility, listen, options).await
}

async fn serve_facility(facility: FacilityServer, listen: SocketAddr, options: Options) -> Result<Running, Refusal> {
    if facility.roster().facility.demo && !listen.ip().is_loopback() && !options.demo_on_network {
        return Err(Refusal::new(
            "demo.network",
            "This is a demo, whose log-ins were printed: other machines must not reach it.",
            "Listen on 127.0.0.1, or say --demo-on-network where everybody may walk in.",
        ));
    }
    let listener = TcpListener::bind(listen).map_err(|e| cannot_listen(listen, &e))?;
    let address = listener.local_addr().map_err(|e| cannot_listen(listen, &e))?;
    let url = format!("https://{address}");
    let identity = facility.identity();
    let named = hosts(address.ip(), options.public_url.as_deref())?;
    let tls =
        identity.authority.server_config(identity.facility, &identity.crossed, &named, facility.around().now())?;
    let limited = connections::Limited::to(options.connections.unwrap_or_else(connections::allowed));
    let tls = RustlsConfig::from_config(Arc::new(tls));
    let acceptor = RustlsAcceptor::new(tls).handshake_timeout(HANDSHAKE).acceptor(limited);
    let handle = Handle::new();
    let mut server = axum_server::from_tcp(listener)
        .map_err(|e| cannot_listen(listen, &e))?
        .acceptor(acceptor)
        .first_request_timeout(HEADERS)
        .handle(handle.clone());
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
    let service: IntoMakeServiceWithConnectInfo<_, SocketAddr> =
        router(&facility, options.public_url).into_make_service_with_connect_info();
    let serving = tokio::spawn(server.serve(service));
    let beside = {
        let facility = facility.clone();
        tokio::spawn(async move { tokio::join!(keep_up(facility.clone()), keep_noticing(facility)) })
    };
    tracing::info!(%address, "listening");
    let set_up = facility.new_set_up_code();
    Ok(Running { address, url, set_up, facility, handle, serving, beside })
}

/// Writes down what is only in memory, and lets go of what is in memory for nothing.
async fn keep_up(facility: FacilityServer) {
    let mut stopping = facility.stopping();
    loop {
        let ended = tokio::time::timeout(CONTACTS, stopping.wait_for(|s| *s)).await.is_ok();
        if ended {
            return;
        }
        facility.write_contacts().await;
        let (live, roster, now) = (facility.live().clone(), facility.roster(), facility.around().now());
        let _ = tokio::task::spawn_blocking(move || live.forget(&roster, now)).await;
    }
}

/// What a command beside this process changed counts here within a moment.
async fn keep_noticing(facility: FacilityServer) {
    let mut stopping = facility.stopping();
    while tokio::time::timeout(NOTICE, stopping.wait_for(|s| *s)).await.is_err() {
        if let Err(trouble) = facility.notice_changes().await {
            tracing::warn!(%trouble, "whether the roster changed could not be read");
        }
    }
}

impl Running {
    pub fn facility(&self) -> &FacilityServer {
        &self.facility
    }

    /// Answers what is under way, ends long polls and streams, and closes the file. What was answered before is
    /// durable in any case.
    pub async fn stop(self) {
        self.facility.begin_stop();
        self.handle.graceful_shutdown(Some(GRACE));
        if let Ok(Err(e)) = self.serving.await {
            tracing::error!(error = %e, "serving ended with an error");
        }
        let _ = self.beside.await;
        self.facility.close().await;
    }
}

fn could_not(what: &str) -> Refusal {
    Refusal::new("server.fault", what, "Start it again; where it stays so, look into its log.")
}

fn cannot_listen(listen: SocketAddr, e: &std::io::Error) -> Refusal {
    match e.kind() {
        ErrorKind::AddrInUse => Refusal::new(
            "listen.busy",
            format!("Another program already listens on {listen}."),
            "Stop it, or name another port with --listen, for example 127.0.0.1:0 for any free one.",
        ),
        _ => Refusal::new(
            "listen.address",
            format!("Cannot listen on {listen} ({e})."),
            "Name an address of this machine with --listen, and a port that this user may use.",
        ),
    }
}
