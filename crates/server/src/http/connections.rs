//! How many connections are open at once. A process has only so many files, the database's among them: whoever comes
//! past the limit is let go at once, so that those who are served stay served.

use axum_server::accept::Accept;
use rustix::process::{Resource, getrlimit};
use std::future::{Ready, ready};
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service;

/// Of all tablets and pages together.
const MOST: u64 = 900;
/// Files that are no connections: the database for every reader, its log, the folder's lock, the standard streams.
const OTHER_FILES: u64 = 124;

/// As many as this process may have, and never more than [`MOST`].
pub fn allowed() -> usize {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    files.saturating_sub(OTHER_FILES).clamp(16, MOST) as usize
}

/// Lets in as many connections as it was made for, from before their handshake until they are closed.
#[derive(Clone)]
pub struct Limited {
    free: Arc<Semaphore>,
}

impl Limited {
    pub fn to(most: usize) -> Limited {
        Limited { free: Arc::new(Semaphore::new(most)) }
    }
}

impl<I, S> Accept<I, S> for Limited {
    type Stream = I;
    type Service = Counted<S>;
    type Future = Ready<io::Result<(I, Counted<S>)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        ready(match self.free.clone().try_acquire_owned() {
            Ok(place) => Ok((stream, Counted { service, _place: Arc::new(place) })),
            Err(_) => {
                tracing::warn!("a connection was let go: there are too many");
                Err(io::ErrorKind::ConnectionRefused.into())
            }
        })
    }
}

/// The service of one connection, which gives its place back when it ends.
#[derive(Clone)]
pub struct Counted<S> {
    service: S,
    _place: Arc<OwnedSemaphorePermit>,
}

impl<R, S: Service<R>> Service<R> for Counted<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }
    fn call(&mut self, request: R) -> S::Future {
        self.service.call(request)
    }
}
