//! The facility server without its HTTP shell: it implements [`lamplight_domain::wire::Facility`] in this process. The
//! station reads and writes through it too.

mod audit;
mod audited;
mod change;
mod contacts;
mod cursors;
mod feed;
mod founding;
mod heads;
mod identity;
mod join;
mod live;
mod moved;
mod nonces;
mod own;
mod push;
mod pushes;
mod set_up;
mod tablets;
#[cfg(test)]
mod tests;

pub use audit::on_record;
pub use audited::AuditLine;
pub use change::{Changed, Changing, change};
pub use founding::{found, found_with};
pub use identity::{Identity, add_encryption_key, begin_authority, finish_authority, renew_tablet_keys, succeed_key};
pub use join::{Inviting, make_invite};
pub use nonces::{NonceRefused, Nonces};
pub use own::{Own, OwnAuthor, body_of};
pub use set_up::{found_if_empty, is_unset};
pub use tablets::{tablet_moved, tablet_revoked};

use crate::failpoint::failpoint;
use crate::folder::{Folder, Lock};
use crate::store::append::Facts;
use crate::store::authors::{self, Author};
use crate::store::readers::Readers;
use crate::store::writer::Writer;
use crate::store::{self, StoreError};
use crate::surroundings::Surroundings;
use contacts::Contacts;
use cursors::CursorMarks;
use lamplight_domain::ids::AuthorId;
use lamplight_domain::kinds::Act;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::Roster;
use lamplight_domain::time::Ms;
use lamplight_domain::wire::{
    BATCH_MAX_LINKS, Batch, Facility, FeedAsk, FeedPage, HelloAnswer, JoinAsk, Joined, OfferAnswer, OfferAsk, PROTOCOL,
    PROTOCOL_MIN, PushAnswer, Trouble,
};
use live::Live;
use pushes::Pushes;
use rusqlite::Connection;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::watch;

/// In the audit.
const DATABASE_KEY_ROTATED: &str = "database-key, finished";
/// What a caller is told to wait where the writer is behind.
const BUSY_MS: u64 = 1_000;
/// What a caller is told to wait where the disk or the file does not do its work.
const TROUBLE_MS: u64 = 5_000;

/// One facility, open. Clones are the same facility.
#[derive(Clone)]
pub struct FacilityServer {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    around: Surroundings,
    identity: Identity,
    writer: Writer,
    readers: Readers,
    roster: Arc<RwLock<Arc<Roster>>>,
    still_on: Arc<moved::StillOn>,
    authors: RwLock<HashMap<AuthorId, Author>>,
    live: Arc<Live>,
    contacts: Arc<Contacts>,
    marks: CursorMarks,
    own: OwnAuthor,
    set_up_code: set_up::SetUpCode,
    nonces: Nonces,
    pushes: Pushes,
    /// True once the server is to end: long polls and streams end with it.
    stopping: watch::Sender<bool>,
    /// Given back at the end, whoever still has a clone.
    lock: std::sync::Mutex<Option<Lock>>,
}

impl FacilityServer {
    /// Opens a facility's folder for serving; a second process is refused. A rotation of the file's key that was cut off
    /// is ended. Errors: those of [`Folder`] and [`store::keyed::open`].
    pub fn open(path: &Path, around: Surroundings) -> Result<FacilityServer, Refusal> {
        let folder = Folder::existing(path)?;
        let lock = folder.lock()?;
        let mut keyed = store::keyed::open(&folder)?;
        end_rotation(&folder, &mut keyed, &around)?;
        let store::keyed::Keyed { mut db, key, .. } = keyed;
        identity::complete(&mut db, &around).map_err(|e| damaged(path, &e))?;
        let loaded = || -> Result<_, StoreError> {
            let identity = Identity::read(&db)?;
            let roster = store::roster::newest(&db)?;
            let live = Live::load(&db, &roster, around.now())?;
            let contacts = Contacts::load(&db)?;
            let still_on = moved::StillOn::load(&db)?;
            store::meta::served_since(&db, around.now(), around.uuid())?;
            Ok((identity, roster, live, contacts, still_on))
        };
        let (identity, roster, live, contacts, still_on) = loaded().map_err(|e| damaged(path, &e))?;
        // A rotation may have been cut off before it.
        folder.keep_ca(&identity.ca_pem())?;
        let own = OwnAuthor::new(&identity, &around);
        let marks = CursorMarks::of(&identity.key);
        let (live, roster) = (Arc::new(live), Arc::new(RwLock::new(Arc::new(roster))));
        let still_on = Arc::new(still_on);
        let readers = Readers::new(folder.database(), key.clone());
        let read_again = {
            let (live, roster, still_on, around) = (live.clone(), roster.clone(), still_on.clone(), around.clone());
            move |db: &Connection| read_again(db, &live, &roster, &still_on, around.now())
        };
        let writer = Writer::start(db, folder.database(), key, read_again).map_err(|e| {
            Refusal::new(
                "server.thread",
                format!("No thread could be started ({e})."),
                "Free some memory, start again.",
            )
        })?;
        let nonces = Nonces::new(around.bytes());
        Ok(FacilityServer {
            inner: Arc::new(Inner {
                around,
                identity,
                writer,
                readers,
                roster,
                still_on,
                authors: RwLock::default(),
                live,
                contacts: Arc::new(contacts),
                marks,
                own,
                set_up_code: set_up::SetUpCode::default(),
                nonces,
                pushes: Pushes::new(),
                stopping: watch::Sender::new(false),
                lock: std::sync::Mutex::new(Some(lock)),
            }),
        })
    }

    pub fn identity(&self) -> &Identity {
        &self.inner.identity
    }
    pub fn roster(&self) -> Arc<Roster> {
        self.inner.roster.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
    pub fn nonces(&self) -> &Nonces {
        &self.inner.nonces
    }
    pub fn pushes(&self) -> &Pushes {
        &self.inner.pushes
    }
    pub fn around(&self) -> &Surroundings {
        &self.inner.around
    }
    pub fn live(&self) -> &Arc<Live> {
        &self.inner.live
    }
    pub(crate) fn readers(&self) -> &Readers {
        &self.inner.readers
    }
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.inner.stopping.subscribe()
    }

    fn facts(&self) -> Facts {
        let Identity { facility, key, .. } = &self.inner.identity;
        Facts { facility: *facility, key: key.clone(), roster: self.roster() }
    }

    /// An author that has pushed before. None for one that is not known.
    pub async fn author(&self, id: AuthorId) -> Result<Option<Author>, Trouble> {
        if let Some(author) = self.inner.authors.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(Some(author.clone()));
        }
        let found = self.inner.readers.read(move |db| Ok(authors::find(db, id)?)).await.map_err(trouble)?;
        if let Some(author) = &found {
            self.inner.authors.write().unwrap_or_else(PoisonError::into_inner).insert(id, author.clone());
        }
        Ok(found)
    }

    /// Tells everybody who waits that the server is to end.
    pub fn begin_stop(&self) {
        self.inner.stopping.send_replace(true);
    }

    /// Writes down what is only in memory, finishes what waits, closes the file. Nothing can be done afterwards.
    pub async fn close(self) {
        self.begin_stop();
        self.write_contacts().await;
        let inner = self.inner;
        inner.readers.close();
        let closed = tokio::task::spawn_blocking(move || {
            inner.writer.stop();
            inner.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
        });
        let _ = closed.await;
    }
}

impl Facility for FacilityServer {
    async fn hello(&self) -> Result<HelloAnswer, Trouble> {
        Ok(HelloAnswer {
            protocol_min: PROTOCOL_MIN,
            protocol_max: PROTOCOL,
            facility: self.inner.identity.facility,
            facility_key: self.inner.identity.key.public(),
            server_time: self.inner.around.now(),
            nonce: self.inner.nonces.issue(),
            successions: self.inner.identity.successions.clone(),
        })
    }
    async fn join(&self, ask: JoinAsk) -> Result<Joined, Trouble> {
        self.take_join(ask).await
    }
    async fn push(&self, batch: Batch) -> Result<PushAnswer, Trouble> {
        self.take_push(batch).await
    }
    async fn feed(&self, ask: FeedAsk) -> Result<FeedPage, Trouble> {
        let request = ask.request;
        let mut page = self.give_feed(ask).await?;
        page.header.request = request;
        Ok(page)
    }
    async fn offer(&self, ask: OfferAsk) -> Result<OfferAnswer, Trouble> {
        if ask.bodies.len() > BATCH_MAX_LINKS * 4 {
            return Err(Refusal::new("offer.too_big", "Too many records were offered at once.", "Offer fewer.").into());
        }
        let Some(author) = self.author(ask.author).await? else { return Err(unknown_author().into()) };
        self.touch(&author);
        let bodies = ask.bodies;
        let lacks = self.inner.readers.read(move |db| {
            let mut lacks = Vec::new();
            for hash in bodies {
                if store::bodies::find(db, &hash)?.is_none() {
                    lacks.push(hash);
                }
            }
            Ok(lacks)
        });
        Ok(OfferAnswer { lacks: lacks.await.map_err(trouble)?, request: ask.request })
    }
}

/// On record before its last step, so that a cut leaves two lines rather than none. Only for whoever holds the folder's
/// lock. Errors: "database.damaged", "folder.unwritable".
pub fn end_rotation(folder: &Folder, keyed: &mut store::keyed::Keyed, around: &Surroundings) -> Result<(), Refusal> {
    if !keyed.is_next {
        return store::keyed::settle(folder, keyed);
    }
    on_record(&mut keyed.db, around, Act::KeyRotated, DATABASE_KEY_ROTATED).map_err(|e| damaged(folder.path(), &e))?;
    failpoint!("rekey.on-record");
    store::keyed::settle(folder, keyed)?;
    failpoint!("rekey.named");
    Ok(())
}

/// After a commit that failed nobody knows what the file holds: what is in memory is read from it anew.
fn read_again(
    db: &Connection,
    live: &Live,
    roster: &RwLock<Arc<Roster>>,
    still_on: &moved::StillOn,
    now: Ms,
) -> Result<(), StoreError> {
    let newest = store::roster::newest(db)?;
    still_on.read_again(db)?;
    live.load_again(db, now)?;
    *roster.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(newest);
    live.bump_all();
    Ok(())
}

/// What the store could not do is tried again later: the caller keeps what it has.
pub(crate) fn trouble(e: StoreError) -> Trouble {
    match e {
        StoreError::Busy => Trouble::Busy { retry_after_ms: BUSY_MS },
        StoreError::Refused(refusal) => refusal.into(),
        e => {
            tracing::error!(error = %e, "the store did not do its work");
            Trouble::Busy { retry_after_ms: TROUBLE_MS }
        }
    }
}

pub(crate) fn unknown_author() -> Refusal {
    Refusal::new(
        "auth.author",
        "The facility server does not know this tablet yet.",
        "Send its credential with the next push; where that fails, join again with a new invite.",
    )
}

/// A change beside whoever serves: what was refused is not a damage.
pub(crate) fn refused_or_damaged(path: &Path, e: StoreError) -> Refusal {
    if let StoreError::Refused(refusal) = e { refusal } else { damaged(path, &e) }
}

pub(crate) fn damaged(path: &Path, e: &StoreError) -> Refusal {
    Refusal::new(
        "database.damaged",
        format!("The database in {} cannot be used: {e}.", path.display()),
        "Keep the folder as it is, and serve a copy of the last backup.",
    )
}
