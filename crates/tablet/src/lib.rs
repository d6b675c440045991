//! One tablet without a window: its encrypted file, sign-in, commands and sync.

mod clock;

pub use clock::{Clock, SystemClock};

use lamplight_domain::commands::{Saved, Status};
use lamplight_domain::ids::{AuthorId, RecordId, StaffId, StayId};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::Auth;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::Ms;
use lamplight_domain::views::{Board, Signal};
use lamplight_domain::wire::Trouble;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;

#[non_exhaustive]
pub struct Options {
    pub clock: Arc<dyn Clock>,
    pub compress: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { clock: Arc::new(SystemClock::new()), compress: true }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct SyncReport {
    /// Own links that the server confirmed during this call.
    pub pushed: u64,
    /// Rows of the feed taken in.
    pub pulled: u64,
    pub requests: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct SyncState {
    pub author: Option<AuthorId>,
    pub head: u64,
    pub confirmed: u64,
    pub waiting: u64,
    pub clock_error_ms: Option<i64>,
}

#[derive(Clone)]
#[allow(dead_code)]
pub struct Tablet(Arc<()>);

impl Tablet {
    pub fn open(_dir: &Path, _options: Options) -> Result<Tablet, Refusal> {
        unimplemented!()
    }
    pub async fn call(&self, _command: &str, _args: serde_json::Value) -> Result<serde_json::Value, Refusal> {
        unimplemented!()
    }
    pub async fn join(&self, _invite: &str, _name: &str) -> Result<(), Refusal> {
        unimplemented!()
    }
    pub fn changes(&self) -> watch::Receiver<u64> {
        unimplemented!()
    }
    pub async fn run(&self) {
        unimplemented!()
    }
    pub fn stop(&self) {
        unimplemented!()
    }
    pub async fn sync_now(&self) -> Result<SyncReport, Trouble> {
        unimplemented!()
    }
    pub fn record(
        &self,
        _by: impl Into<Option<StaffId>>,
        _auth: Auth,
        _stay: Option<StayId>,
        _id: Option<RecordId>,
        _event: Event,
        _observed_at: Option<Ms>,
    ) -> Result<Saved, Refusal> {
        unimplemented!()
    }
    pub fn signal(&self) -> Signal {
        unimplemented!()
    }
    pub fn anyone_on_ward(&self) -> bool {
        unimplemented!()
    }
    pub fn status(&self) -> Status {
        unimplemented!()
    }
    pub fn board(&self) -> Result<Board, Refusal> {
        unimplemented!()
    }
    pub fn sync_state(&self) -> SyncState {
        unimplemented!()
    }
    pub fn export(&self, _out: &mut dyn Write) -> Result<u64, Refusal> {
        unimplemented!()
    }
    pub fn lock(&self) {
        unimplemented!()
    }
}
