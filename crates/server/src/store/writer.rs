//! The one connection that writes, on a thread of its own. What waits together is committed together; nobody gets an
//! answer before the commit returned.

use super::StoreError;
use crate::failpoint::failpoint;
use crate::folder::DatabaseKey;
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Jobs that may wait; beyond that a caller is told to come again later.
pub const QUEUE: usize = 256;
/// Jobs that share one commit: enough to fill a disk's flush, few enough that nobody waits long for the others.
const TOGETHER: usize = 32;

/// Runs inside the transaction; what it gives back runs after the commit, or hears why there was none.
type Work = Box<dyn FnOnce(&Connection) -> (bool, After) + Send>;
type After = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

enum Job {
    Write(Work),
    Stop,
}

pub struct Writer {
    jobs: SyncSender<Job>,
    waiting: Arc<AtomicUsize>,
    thread: std::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// `db` comes from [`super::open`]. `read_again` runs on the writer's thread after a connection had to be opened
    /// anew, before anything else is written: what the file holds then may be more or less than anybody was told.
    pub fn start(
        db: Connection,
        path: PathBuf,
        key: DatabaseKey,
        read_again: impl Fn(&Connection) -> Result<(), StoreError> + Send + 'static,
    ) -> std::io::Result<Writer> {
        let (jobs, received) = sync_channel(QUEUE);
        let waiting = Arc::new(AtomicUsize::new(0));
        let counted = waiting.clone();
        let thread = std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || run(Some(db), &path, &key, &read_again, &received, &counted))?;
        Ok(Writer { jobs, waiting, thread: std::sync::Mutex::new(Some(thread)) })
    }

    /// How many jobs wait for their turn.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Runs `work` in a transaction of its own or together with others; where it fails, only its own changes are
    /// undone. `after` runs on the writer's thread once the commit returned, in the order of the commits, and before
    /// anybody is answered.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        after: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move |db| {
            let done = work(db);
            let keep = done.is_ok();
            let finish: After = Box::new(move |committed| {
                let done = done.and_then(|value| committed.map(|()| value));
                if let Ok(value) = &done {
                    after(value);
                }
                // Whoever asked may be gone; what was committed stays.
                let _ = answer.send(done);
            });
            (keep, finish)
        });
        self.waiting.fetch_add(1, Ordering::Relaxed);
        match self.jobs.try_send(Job::Write(work)) {
            Ok(()) => answered.await.map_err(|_| StoreError::NotDone)?,
            Err(e) => {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                Err(if matches!(e, TrySendError::Full(_)) { StoreError::Busy } else { StoreError::NotDone })
            }
        }
    }

    /// Finishes what waits, puts the WAL into the file and closes it. Blocks.
    pub fn stop(&self) {
        let _ = self.jobs.send(Job::Stop);
        let thread = self.thread.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        // Whatever the last job held may be this writer itself.
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != std::thread::current().id()) {
            let _ = thread.join();
        }
    }
}

/// A process that ends while the cipher is still at work crashes on its way out.
impl Drop for Writer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(
    mut db: Option<Connection>,
    path: &std::path::Path,
    key: &DatabaseKey,
    read_again: &dyn Fn(&Connection) -> Result<(), StoreError>,
    jobs: &Receiver<Job>,
    waiting: &AtomicUsize,
) {
    let mut stopping = false;
    while !stopping {
        let Ok(first) = jobs.recv() else { break };
        let mut batch: Vec<Work> = Vec::new();
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Write(work) => batch.push(work),
                Job::Stop => stopping = true,
            }
            next = if stopping || batch.len() >= TOGETHER { None } else { jobs.try_recv().ok() };
        }
        waiting.fetch_sub(batch.len(), Ordering::Relaxed);
        if batch.is_empty() {
            continue;
        }
        if db.is_none() {
            db = open_again(path, key, read_again);
        }
        // Dropping the works drops their answers: everybody hears that nothing was done.
        let Some(open) = &db else { continue };
        if !commit(open, batch) {
            drop(db.take());
            // At once, not with the next job: the boards may be wrong until then.
            db = open_again(path, key, read_again);
        }
    }
    if let Some(db) = db {
        let _ = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get::<_, i64>(0));
    }
}

fn open_again(
    path: &std::path::Path,
    key: &DatabaseKey,
    read_again: &dyn Fn(&Connection) -> Result<(), StoreError>,
) -> Option<Connection> {
    let open = || -> Result<Connection, StoreError> {
        let db = super::connect(path, key)?;
        read_again(&db)?;
        Ok(db)
    };
    open().inspect_err(|e| tracing::error!(%e, "the database cannot be opened again")).ok()
}

/// False where the connection may not be used any more.
fn commit(db: &Connection, batch: Vec<Work>) -> bool {
    if let Err(e) = db.execute_batch("BEGIN IMMEDIATE") {
        let e = StoreError::from(e);
        tracing::error!(%e, "no transaction could be begun");
        return !e.taints_connection();
    }
    let mut afters = Vec::with_capacity(batch.len());
    let mut sound = true;
    for work in batch {
        // SQLite may end the transaction by itself (no room, a fault of the disk). What came after that would be
        // committed alone, and its caller told that nothing was done: whoever is left hears it undone.
        if !sound || db.execute_batch("SAVEPOINT job").is_err() {
            sound = false;
            break;
        }
        let done = catch_unwind(AssertUnwindSafe(|| work(db)));
        let keep = matches!(done, Ok((true, _)));
        let end = if keep { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
        sound = !db.is_autocommit() && db.execute_batch(end).is_ok();
        match done {
            Ok((_, after)) => afters.push(after),
            Err(_) => tracing::error!("a write panicked and was undone"),
        }
    }
    failpoint!("push.before-commit");
    let committed = if sound { db.execute_batch("COMMIT") } else { Err(rusqlite::Error::InvalidQuery) };
    failpoint!("push.committed");
    if let Err(e) = &committed {
        tracing::error!(%e, "not committed");
        let _ = db.execute_batch("ROLLBACK");
    }
    for after in afters {
        let outcome = if committed.is_ok() { Ok(()) } else { Err(StoreError::NotDone) };
        if catch_unwind(AssertUnwindSafe(|| after(outcome))).is_err() {
            tracing::error!("what follows a commit panicked; the commit stands");
        }
    }
    committed.is_ok()
}
