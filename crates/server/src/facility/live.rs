//! What is known of each ward, in memory: the boards are worked out from it, and readers wait on it. It follows the
//! feed: taken in after the commit, in the order of the numbers.

use super::FacilityServer;
use crate::store::append::NewRow;
use crate::store::standing::KEEP_MS;
use crate::store::{StoreError, bodies, feed};
use lamplight_domain::ids::WardId;
use lamplight_domain::record::Record;
use lamplight_domain::roster::Roster;
use lamplight_domain::time::{HOUR_MS, Ms, Now};
use lamplight_domain::views::Board;
use lamplight_domain::ward::{self, Viewpoint, WardRecords};
use rusqlite::Connection;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::watch;

const FORGET_EVERY_MS: i64 = HOUR_MS;

#[derive(Default)]
pub struct Live {
    wards: RwLock<HashMap<WardId, Arc<LiveWard>>>,
}

pub struct LiveWard {
    known: Mutex<Known>,
    /// Counts what readers wait for: new rows, a new roster.
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Known {
    records: WardRecords,
    forgot_at: Ms,
}

impl LiveWard {
    fn new(known: Known) -> LiveWard {
        LiveWard { known: Mutex::new(known), changes: watch::Sender::new(0) }
    }

    /// Reads with the records in hand; keep it short, the writer waits.
    pub fn with<T>(&self, read: impl FnOnce(&WardRecords) -> T) -> T {
        read(&self.known.lock().unwrap_or_else(PoisonError::into_inner).records)
    }

    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn bump(&self) {
        self.changes.send_modify(|n| *n += 1);
    }
}

impl Live {
    pub fn load(db: &Connection, roster: &Roster, now: Ms) -> Result<Live, StoreError> {
        let live = Live::default();
        for ward in &roster.wards {
            live.insert(ward.id, LiveWard::new(known(db, ward.id, now)?));
        }
        Ok(live)
    }

    /// Reads every ward from the file anew, in place of what is in memory.
    pub fn load_again(&self, db: &Connection, now: Ms) -> Result<(), StoreError> {
        for (_, id) in feed::wards(db)?.into_iter().filter(|(_, id)| *id != WardId::FACILITY) {
            let again = known(db, id, now)?;
            *self.ward(id).known.lock().unwrap_or_else(PoisonError::into_inner) = again;
        }
        Ok(())
    }

    /// Lets go of what no board shows any more; also of wards that nobody looks at.
    pub fn forget(&self, roster: &Roster, now: Ms) {
        let wards: Vec<_> = self.wards.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        for ward in wards {
            let mut known = ward.known.lock().unwrap_or_else(PoisonError::into_inner);
            if now - known.forgot_at > FORGET_EVERY_MS {
                known.records.forget_before(now - KEEP_MS, roster, Now::of_wall(now));
                known.forgot_at = now;
            }
        }
    }

    fn insert(&self, id: WardId, ward: LiveWard) -> Arc<LiveWard> {
        self.wards.write().unwrap_or_else(PoisonError::into_inner).entry(id).or_insert_with(|| Arc::new(ward)).clone()
    }

    pub fn ward(&self, id: WardId) -> Arc<LiveWard> {
        let known = self.wards.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        known.unwrap_or_else(|| self.insert(id, LiveWard::new(Known::default())))
    }

    /// Rows that are committed.
    pub fn take(&self, rows: &[NewRow]) {
        let mut touched: Vec<WardId> = Vec::new();
        for row in rows {
            let ward = self.ward(row.ward);
            if let Some(record) = &row.record {
                take(&mut ward.known.lock().unwrap_or_else(PoisonError::into_inner).records, record.clone());
            }
            if !touched.contains(&row.ward) {
                touched.push(row.ward);
            }
        }
        for ward in touched {
            self.ward(ward).bump();
        }
    }

    /// Something that every reader must hear of.
    pub fn bump_all(&self) {
        for ward in self.wards.read().unwrap_or_else(PoisonError::into_inner).values() {
            ward.bump();
        }
    }
}

/// What a ward's board is worked out from, as the file has it.
fn known(db: &Connection, ward: WardId, now: Ms) -> Result<Known, StoreError> {
    let mut records = WardRecords::default();
    if let Some(no) = feed::ward(db, ward)? {
        for sent in feed::known(db, no, now - KEEP_MS, now)? {
            let row = &sent.row;
            if let Ok(record) = bodies::parse(&sent.bytes, row.author, row.seq, row.received_at) {
                take(&mut records, record);
            }
        }
    }
    Ok(Known { records, forgot_at: now })
}

/// A record that no rule likes must not stop the server: it is held and passed on all the same.
fn take(records: &mut WardRecords, record: Record) {
    let hash = record.hash;
    if catch_unwind(AssertUnwindSafe(|| records.take(record))).is_err() {
        tracing::error!(%hash, "a record could not be taken into its ward's board");
    }
}

impl FacilityServer {
    /// A ward's board, as the station knows it now.
    pub fn board(&self, ward: WardId) -> Board {
        let (roster, contacts, now) = (self.roster(), self.contact_marks(ward), self.inner.around.now());
        let live = self.inner.live.ward(ward);
        let known = live.known.lock().unwrap_or_else(PoisonError::into_inner);
        ward::board(&known.records, &roster, ward, &contacts, Viewpoint::Station, Now::of_wall(now))
    }
}
