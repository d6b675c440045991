//! The tablet: what it holds open, and how it starts.

use crate::answer::help::Unrecorded;
use crate::audit::Audits;
use crate::clock::{Clock, SystemClock};
use crate::contact::Contact;
use crate::disk;
use crate::failpoint::failpoint;
use crate::file::{Broken, File, Schema, aside, drafts, identity, links, lock, meta, receipts};
use crate::handed_over;
use crate::identity::Identity;
use crate::keys::{self, Chance, DeviceKey, KeyStore, Protection, recovery};
use crate::known::Known;
use crate::pen::{Pen, Standing};
use crate::renewal;
use crate::reserve;
use crate::session::SignedIn;
use crate::sync::client::{Client, PackedBatch};
use crate::trouble::Troubles;
use lamplight_domain::chain::{Head, Link, body_hash};
use lamplight_domain::ids::StayId;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::Roster;
use lamplight_domain::time::{Clocks, Ms, Now};
use rustix::fs::{FlockOperation, flock};
use std::collections::BTreeSet;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::{Notify, watch};

pub(crate) const RECORDS_FILE: &str = "records.db";
pub(crate) const IDENTITY_FILE: &str = "identity.db";
pub(crate) const LOCK_FILE: &str = "in-use";
pub(crate) const CONTACT: &str = "contact";
/// Second copies in the records file of what stands in the identity file.
pub(crate) const IDENTITY: &str = "identity";
pub(crate) const ROSTER: &str = "roster";

/// How a tablet is opened.
#[non_exhaustive]
pub struct Options {
    pub clock: Arc<dyn Clock>,
    /// Where this tablet's keys and identifiers come from: the system's random source, but in a simulation.
    pub chance: Arc<Chance>,
    /// Compresses what is sent.
    pub compress: bool,
    /// Locks this tablet's key; None keeps it in a file. See [`crate::SecretService`].
    pub key_store: Option<Arc<dyn KeyStore>>,
    /// Once it was taken out of use and has handed everything over, its key goes. False only in a simulation that plays
    /// on with such a tablet.
    pub lets_go: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            clock: Arc::new(SystemClock::new()),
            chance: Arc::new(keys::random),
            compress: true,
            key_store: None,
            lets_go: true,
        }
    }
}

/// One tablet without a window. Clones are the same tablet.
#[derive(Clone)]
pub struct Tablet(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub dir: PathBuf,
    pub clock: Arc<dyn Clock>,
    pub chance: Arc<Chance>,
    pub compress: bool,
    pub records: File,
    pub identity_file: File,
    pub identity: RwLock<Option<Arc<Identity>>>,
    pub key: DeviceKey,
    pub protection: Protection,
    pub lets_go: bool,
    /// The facility could open these files: its copy of the key stands beside them.
    pub recoverable: AtomicBool,
    /// Taken for the whole of a recording: one entry after another. Never across the network.
    pub pen: Mutex<Option<Pen>>,
    /// Where the pen was laid down last.
    pub standing: Mutex<Option<Standing>>,
    /// The records file is being begun anew.
    pub rebuilding: AtomicBool,
    pub known: RwLock<Known>,
    pub contact: Mutex<Contact>,
    pub session: Mutex<Option<SignedIn>>,
    /// Whose data the signed-in person has looked at.
    pub viewed: Mutex<BTreeSet<StayId>>,
    /// What is to be written down of people, and is not yet.
    pub audits: Mutex<Audits>,
    pub troubles: Mutex<Troubles>,
    /// Until when this device's signal is silent: wall time to show, boot clock to judge.
    pub silenced: Mutex<Option<Clocks>>,
    /// Help that could not be written down yet, oldest first.
    pub unrecorded: Mutex<Vec<Unrecorded>>,
    /// Whether the shell's loudspeaker can be heard; None until it says.
    pub sound: Mutex<Option<bool>>,
    pub changes: watch::Sender<u64>,
    pub stopped: watch::Sender<bool>,
    /// Something new waits to be sent.
    pub to_send: Notify,
    /// Works of the sync on the files that are under way.
    pub at_work: AtomicU32,
    /// Held by whoever sends.
    pub sending: tokio::sync::Mutex<()>,
    /// The batch that is sent next, where it is ready.
    pub packed: Arc<PackedBatch>,
    /// The facility's certificate authorities are others than before: connections are made anew.
    pub new_authorities: Notify,
    /// Of [`Tablet::sync_now`].
    pub client: Mutex<Option<Arc<Client>>>,
    /// The file on which this process holds the folder for itself.
    _in_use: std::fs::File,
}

impl Tablet {
    /// Opens the tablet of a folder, which is made where it is missing (readable by this user only). Blocks.
    ///
    /// A damaged file is set aside and named in the troubles of `hello` and `status`; what can be read of it is
    /// written down again. Files of a newer program are read and sent, and nothing is recorded: see the trouble
    /// "file.newer". Errors: "tablet.in_use", "key.missing", "key.wrong", "key.store", "file.newer" (not even that can be
    /// done), "disk.full", "disk.failed", "cipher.missing".
    pub fn open(dir: &Path, options: Options) -> Result<Tablet, Refusal> {
        let in_use = claim(dir)?;
        handed_over::finish(dir)?;
        let has_files = dir.join(RECORDS_FILE).exists() || dir.join(IDENTITY_FILE).exists();
        let store = options.key_store.as_deref();
        let (held, protection) = keys::open(dir, has_files, store)?;
        let opening = renewal::carry_on(dir, held, protection, store)?;
        let opened = |name: &str, schema| {
            let path = dir.join(name);
            let open = || File::open(path.clone(), opening.key_of(&path), schema);
            // On a full disk SQLite cannot even begin: the reserve is for that too.
            open().or_else(|refusal| if reserve::free(dir) { open() } else { Err(refusal) })
        };
        let (identity_file, identity_aside) = opened(IDENTITY_FILE, Schema::Identity)?;
        let (records, _) = opened(RECORDS_FILE, Schema::Records)?;
        let mut troubles = Troubles::default();
        if identity_file.is_frozen() || records.is_frozen() {
            identity_file.freeze();
            records.freeze();
            troubles.add(crate::trouble::newer_file());
        }
        let identity = newest_identity(&identity_file, &records)?;
        if let Some(away) = identity_aside {
            troubles.add(crate::trouble::identity_set_aside(identity.is_some()));
            aside::taken_over(&away).map_err(|e| Broken::of_io(&e))?;
        }
        let inner = Inner {
            dir: dir.to_owned(),
            chance: options.chance,
            compress: options.compress,
            identity: RwLock::new(identity.map(Arc::new)),
            key: opening.key.clone(),
            protection,
            lets_go: options.lets_go,
            recoverable: AtomicBool::new(false),
            pen: Mutex::new(None),
            standing: Mutex::default(),
            rebuilding: AtomicBool::new(false),
            known: RwLock::default(),
            contact: Mutex::default(),
            session: Mutex::default(),
            viewed: Mutex::default(),
            audits: Mutex::default(),
            troubles: Mutex::new(troubles),
            silenced: Mutex::default(),
            unrecorded: Mutex::default(),
            sound: Mutex::default(),
            changes: watch::Sender::new(0),
            stopped: watch::Sender::new(false),
            to_send: Notify::new(),
            at_work: AtomicU32::new(0),
            sending: tokio::sync::Mutex::default(),
            packed: Arc::default(),
            new_authorities: Notify::new(),
            client: Mutex::default(),
            clock: options.clock,
            records,
            identity_file,
            _in_use: in_use,
        };
        let tablet = Tablet(Arc::new(inner));
        match tablet.0.load() {
            Err(broken) if broken.is_damage() => {
                tablet.0.records.start_afresh()?;
                tablet.0.load()?;
            }
            other => other?,
        }
        match tablet.0.identity() {
            Some(identity) => tablet.0.keep_recovery(&identity),
            None => tablet.0.tell_of_handing_over(),
        }
        if let Some(Err(broken)) = opening.taken.map(|order| tablet.0.end_renewal(order)) {
            tracing::warn!(?broken, "what is left to do for the fresh key is done by the next start");
        }
        if let Some(identity) = tablet.0.identity() {
            tablet.0.begin_renewal(&identity);
        }
        Ok(tablet)
    }

    /// Wakes whenever a board or a status may have changed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// It was taken out of use and handed everything over: the next [`Tablet::open`] of its folder, in a process that
    /// never held its key, lets the key go and begins as a tablet that belongs to nobody.
    pub fn is_handed_over(&self) -> bool {
        self.0.is_handed_over()
    }

    /// Ends [`Tablet::run`]. Nothing is lost by it.
    pub fn stop(&self) {
        self.0.stopped.send_replace(true);
    }
}

impl Inner {
    /// Reads from the files what is kept in memory, the two copies compared before.
    pub fn load(&self) -> Result<(), Broken> {
        if self.is_frozen() {
            *lock(&self.standing) = self.standing_as_read()?;
        } else {
            reserve::keep(&self.dir);
            let mut hand = lock(&self.pen);
            *hand = self.pick_up()?;
            self.records.write(drafts_done)?;
        }
        let mut contact: Contact = self.records.read(|from| meta::get(from, CONTACT))?.unwrap_or_default();
        contact.stored = contact.last;
        self.silence_as_noted(&mut contact)?;
        *lock(&self.contact) = contact;
        self.tell_of_what_was_set_aside()?;
        self.tell_of_missing()?;
        self.tell_of_revoking()?;
        *self.known_mut() = Known::load(&self.records, &self.identity_file, self.now().best())?;
        Ok(())
    }

    /// A newer program wrote this tablet's files: they are read and sent from, and nothing is written.
    pub fn is_frozen(&self) -> bool {
        self.records.is_frozen()
    }

    /// Where the own chain stands by the records file alone.
    fn standing_as_read(&self) -> Result<Option<Standing>, Broken> {
        let Some(author) = self.identity().and_then(|i| Some(i.author()?.credential.author)) else { return Ok(None) };
        let (head, confirmed) =
            self.records.read(|from| Ok((links::head(from, author)?.seq, confirmed(from, author)?)))?;
        Ok(Some(Standing { author, head, confirmed }))
    }

    pub fn identity(&self) -> Option<Arc<Identity>> {
        self.identity.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// Durable in both files before it counts.
    pub fn set_identity(&self, identity: Identity) -> Result<Arc<Identity>, Broken> {
        self.identity_file.write(|to| {
            identity::set(to, &identity)?;
            identity::joined(to)
        })?;
        failpoint!("identity.in-one-file");
        self.records.write(|to| meta::set(to, IDENTITY, &identity))?;
        self.keep_recovery(&identity);
        lock(&self.troubles).over("tablet.handed_over");
        let identity = Arc::new(identity);
        *self.identity.write().unwrap_or_else(PoisonError::into_inner) = Some(identity.clone());
        Ok(identity)
    }

    /// So that the facility can open these files too. Where that fails nothing else does: the next start, and the next
    /// word of the facility, try again.
    fn keep_recovery(&self, identity: &Identity) {
        if self.is_frozen() {
            return;
        }
        let kept = recovery::keep(&self.dir, &self.key, identity, &*self.chance);
        self.recoverable.store(matches!(kept, Ok(true)), Ordering::SeqCst);
        let mut troubles = lock(&self.troubles);
        match kept {
            Ok(_) => _ = troubles.over("recovery.unwritten"),
            Err(refusal) => {
                tracing::warn!(code = %refusal.code, "the key was not sealed to the facility");
                troubles.add(refusal);
            }
        }
    }

    pub fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }
    pub fn known_mut(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
    pub fn roster(&self) -> Option<Arc<Roster>> {
        self.known().roster.clone()
    }
    pub fn now(&self) -> Now {
        lock(&self.contact).now(self.clock.read())
    }
    pub fn changed(&self) {
        self.changes.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// Until when this device is silent, in the time that screens show; None where it is not.
    pub fn silenced_until(&self, now: Now) -> Option<Ms> {
        let until = (*lock(&self.silenced))?;
        let left = until.boot_ms - now.clocks.boot_ms;
        (until.boot_id == now.clocks.boot_id && left > 0).then(|| now.best() + left)
    }
}

/// The link that would write this body down as the next one.
pub(crate) fn next_link(head: &Head, bytes: &[u8]) -> Link {
    Link { author: head.author, seq: head.seq + 1, prev: head.hash, body_hash: body_hash(bytes) }
}

/// Own links up to here were confirmed by the newest receipt. One that does not fit the own chain (a fork that was
/// not healed yet) confirms nothing.
pub(crate) fn confirmed(from: &rusqlite::Connection, author: lamplight_domain::ids::AuthorId) -> rusqlite::Result<u64> {
    let Some(receipt) = receipts::newest(from, author)? else { return Ok(0) };
    let own = links::hash_at(from, author, receipt.head.seq)?;
    Ok(if own == Some(receipt.head.hash) { receipt.head.seq } else { 0 })
}

/// Who this tablet is. Each of the two files may have lost the newest author: the longer list holds.
fn newest_identity(identity_file: &File, records: &File) -> Result<Option<Identity>, Refusal> {
    let first = identity_file.read(identity::get)?;
    let second: Option<Identity> = match records.read(|from| meta::get(from, IDENTITY)) {
        // Damage there is met here first. What can be read of it is taken over once it is known whose file this is.
        Err(broken) if broken.is_damage() => {
            records.start_afresh()?;
            None
        }
        other => other?,
    };
    let authors = |identity: &Option<Identity>| identity.as_ref().map_or(0, |i| i.authors.len());
    if authors(&second) > authors(&first) {
        if let Some(found) = second.as_ref().filter(|_| !identity_file.is_frozen()) {
            identity_file.write(|to| identity::set(to, found))?;
        }
        return Ok(second);
    }
    if let (Some(found), true) = (&first, authors(&first) > authors(&second) && !records.is_frozen()) {
        records.write(|to| meta::set(to, IDENTITY, found))?;
    }
    Ok(first)
}

fn drafts_done(to: &rusqlite::Transaction<'_>) -> rusqlite::Result<usize> {
    drafts::drop_saved(to)
}

/// With the folders above it, each named durably before anything stands in it.
fn make(dir: &Path) -> std::io::Result<()> {
    let above = dir.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !above.exists() {
        make(above)?;
    }
    disk::make_folder(dir)?;
    disk::sync_folder(above)
}

/// Makes the folder and holds it for this process: two programs that wrote one chain would fork it.
fn claim(dir: &Path) -> Result<std::fs::File, Refusal> {
    let failed = |e: std::io::Error| {
        Refusal::new(
            "disk.failed",
            format!("This tablet's folder cannot be used: {e}."),
            "Check that the folder may be written and that the disk is sound.",
        )
    };
    if !dir.exists() {
        make(dir).map_err(failed)?;
    }
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(dir.join(LOCK_FILE))
        .map_err(failed)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| in_use())?;
    Ok(file)
}

pub(crate) fn in_use() -> Refusal {
    Refusal::new(
        "tablet.in_use",
        "Another Lamplight is using this tablet's folder.",
        "Use the window that is open already, or close it first.",
    )
}
