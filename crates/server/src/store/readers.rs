//! Connections that only read, side by side with the writer (WAL: a reader sees whole commits and never waits).

use super::StoreError;
use crate::folder::DatabaseKey;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// As many as may read at once; the rest wait their turn.
const READERS: usize = 4;

#[derive(Clone)]
pub struct Readers {
    path: PathBuf,
    key: DatabaseKey,
    idle: Arc<Mutex<Vec<Connection>>>,
    turns: Arc<Semaphore>,
}

impl Readers {
    pub fn new(path: PathBuf, key: DatabaseKey) -> Readers {
        Readers { path, key, idle: Arc::default(), turns: Arc::new(Semaphore::new(READERS)) }
    }

    /// Runs `work` in one read transaction, off the async threads.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| StoreError::NotDone)?;
        let this = self.clone();
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            this.read_here(work)
        })
        .await
        .map_err(|_| StoreError::NotDone)?
    }

    /// The same on this thread.
    pub fn read_here<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let db = match idle {
            Some(db) => db,
            None => {
                let db = super::connect(&self.path, &self.key)?;
                db.pragma_update(None, "query_only", true)?;
                db
            }
        };
        let done = {
            let reading = db.unchecked_transaction()?;
            work(&reading)
        };
        if !done.as_ref().is_err_and(StoreError::taints_connection) {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(db);
        }
        done
    }

    /// Closes the idle connections, so that the last one to close can tidy up the WAL.
    pub fn close(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
