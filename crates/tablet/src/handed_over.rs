//! A tablet that was taken out of use, and of which the facility holds everything, lets its key go: nobody who finds it
//! reads it. Its files are not thrown away: they move aside with what was sealed to the facility, which alone opens them.
//!
//! Decided while the program runs, in one file that becomes durable; done by the next start, before anything is opened.
//! So a cut leaves either the tablet as it was, or one that goes on with letting go.

use crate::disk;
use crate::failpoint::failpoint;
use crate::file::lock;
use crate::keys::{self, write_private};
use crate::known::Known;
use crate::sync::offer;
use crate::tablet::{Inner, LOCK_FILE};
use crate::trouble;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::wire::RECOVERY_FILE;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::atomic::Ordering;

/// Decided, and not done yet.
const GOING: &str = "handing-over";
/// Done: for the screen of a tablet that belongs to nobody.
const GONE: &str = "handed-over.json";
/// One folder a tablet that this folder was.
const FOLDER: &str = "handed-over";
/// WebKit's own files hold nothing of patients.
const STAYS: [&str; 5] = [LOCK_FILE, GOING, GONE, FOLDER, "webkit"];

#[derive(Serialize, Deserialize)]
struct HandedOver {
    /// "W-1"
    name: String,
    /// Where its files go, in [`FOLDER`].
    into: String,
    /// Own entries that the server confirmed.
    confirmed: u64,
}

impl Inner {
    /// Decides it, where the server has confirmed everything that this tablet wrote, nobody is signed in, and the
    /// facility could open what is kept. True where it was decided; from then on nothing is recorded or sent here.
    /// Only after the server was asked, having said that this tablet is out of use.
    pub(crate) fn hand_over(&self) -> Result<bool, Refusal> {
        // Before the pen: whether an idle tablet has locked is nothing that a tap should wait for.
        if self.session().is_some() {
            return Ok(false);
        }
        // Nothing is recorded between the look and the decision.
        let mut hand = lock(&self.pen);
        let is_signed_in = lock(&self.session).is_some();
        let is_open = is_signed_in || !lock(&self.unrecorded).is_empty() || self.has_unwritten_audits();
        let recoverable = self.recoverable.load(Ordering::SeqCst) && self.dir.join(RECOVERY_FILE).exists();
        if !self.lets_go || self.is_frozen() || is_open || !recoverable || !lock(&self.troubles).has(trouble::REVOKED) {
            return Ok(false);
        }
        let Some((identity, pen)) = self.identity().zip(hand.as_ref()) else { return Ok(false) };
        let unsettled = self.records.read(offer::is_unsettled)?;
        if pen.confirmed < pen.head.seq || unsettled || !self.records.not_taken_over()?.is_empty() {
            return Ok(false);
        }
        failpoint!("gone.confirmed");
        let going = HandedOver {
            name: identity.name.clone(),
            into: format!("{}-{}", self.now().best().0, identity.tablet),
            confirmed: pen.confirmed,
        };
        let text = serde_json::to_vec(&going).unwrap_or_default();
        write_private(&self.dir, GOING, &text).map_err(|e| trouble::cannot_let_go(&e))?;
        failpoint!("gone.decided");
        *hand = None;
        // Before the pen is given back: whoever gets it next would pick the author up again.
        self.forget_everything();
        drop(hand);
        lock(&self.troubles).add(trouble::handed_over(&going.name, going.confirmed));
        tracing::warn!("this tablet was taken out of use and has handed everything over");
        self.stopped.send_replace(true);
        self.changed();
        Ok(true)
    }

    /// Of what is in memory: the key itself goes with the process.
    fn forget_everything(&self) {
        // Without a line of audit: nothing more is written under an author that has handed everything over.
        lock(&self.session).take();
        lock(&self.viewed).clear();
        *self.identity.write().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
        *self.known_mut() = Known::default();
        *lock(&self.standing) = None;
        *lock(&self.packed) = None;
        *lock(&self.client) = None;
        lock(&self.troubles).over(trouble::REVOKED);
    }

    pub(crate) fn is_handed_over(&self) -> bool {
        self.dir.join(GOING).exists()
    }

    /// A tablet that belongs to nobody says what became of the one before it.
    pub(crate) fn tell_of_handing_over(&self) {
        let text = std::fs::read(self.dir.join(GONE)).ok();
        let before = text.and_then(|text| serde_json::from_slice::<HandedOver>(&text).ok());
        if let (Some(before), true) = (before, self.identity().is_none()) {
            lock(&self.troubles).add(trouble::handed_over(&before.name, before.confirmed));
        }
    }
}

/// Ends what was decided. Before any file of the folder is opened. Errors: "disk.failed"; the next start goes on.
pub(crate) fn finish(dir: &Path) -> Result<(), Refusal> {
    let Ok(text) = std::fs::read(dir.join(GOING)) else { return Ok(()) };
    let done = || -> std::io::Result<()> {
        let going: HandedOver = serde_json::from_slice(&text).map_err(std::io::Error::other)?;
        let into = dir.join(FOLDER).join(&going.into);
        for folder in [dir.join(FOLDER), into.clone()] {
            if !folder.exists() {
                disk::make_folder(&folder)?;
                disk::sync_folder(folder.parent().unwrap_or(dir))?;
            }
        }
        // It stands there, or has moved already.
        if dir.join(RECOVERY_FILE).exists() || into.join(RECOVERY_FILE).exists() {
            keys::let_go(dir)?;
        }
        failpoint!("gone.key-gone");
        for entry in std::fs::read_dir(dir)? {
            let name = entry?.file_name();
            if !STAYS.iter().any(|stays| name == *stays) {
                disk::rename(&dir.join(&name), &into.join(&name))?;
                failpoint!("gone.moving");
            }
        }
        disk::sync_folder(&into)?;
        failpoint!("gone.moved");
        disk::rename(&dir.join(GOING), &dir.join(GONE))?;
        disk::sync_folder(dir)
    };
    done().map_err(|e| trouble::cannot_let_go(&e))
}
