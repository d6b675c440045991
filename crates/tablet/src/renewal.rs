//! A fresh key takes the place of the one that this tablet's files are encrypted with, where the facility asked for it.
//!
//! 1. The facility's word comes with a page: the next key becomes durable, locked with the present one. Nothing else
//!    happens while the tablet runs.
//! 2. The next start takes the files over, one after the other, before they are opened for work. One that cannot be taken
//!    over stays as it is, and the tablet works with both keys: no round waits for this.
//! 3. All are under it: the key's own file, or what the key store has, and its check value are replaced.
//! 4. The files are open: who this tablet is says which word was followed, the facility gets the key sealed, the audit a
//!    line; then what 1 wrote goes.
//!
//! A start after a cut goes on where it was: each step sees what is done. What is bound to this device (PINs) hangs on a
//! secret in the encrypted file, not on this key: nobody needs a new PIN.

use crate::failpoint::failpoint;
use crate::file::rekey::{opens, rekey};
use crate::file::{Broken, Schema, aside, copy_of};
use crate::identity::Identity;
use crate::keys::{DeviceKey, KeyStore, Protection, next};
use crate::second_copy;
use crate::tablet::{IDENTITY_FILE, Inner, RECORDS_FILE};
use lamplight_domain::kinds::{Act, Audit};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::Ms;
use std::path::Path;
use std::sync::atomic::Ordering;

/// In the audit.
const RENEWED: &str = "tablet-key, finished";

/// What a start opens this tablet's files with.
pub(crate) struct Opening {
    /// Of the second copy, and of whatever is begun anew.
    pub key: DeviceKey,
    /// While not all files are under one.
    other: Option<DeviceKey>,
    /// Step 3 is done: of this word of the facility.
    pub taken: Option<Ms>,
}

impl Opening {
    /// Under which of the keys this file is.
    pub fn key_of(&self, path: &Path) -> DeviceKey {
        let other = self.other.as_ref().filter(|other| !opens(path, &self.key) && opens(path, other));
        other.unwrap_or(&self.key).clone()
    }
}

/// Steps 2 and 3, where step 1 was done. Before any file is opened. Errors: "disk.failed" where it cannot be known.
pub(crate) fn carry_on(
    dir: &Path,
    held: DeviceKey,
    protection: Protection,
    store: Option<&dyn KeyStore>,
) -> Result<Opening, Refusal> {
    let as_it_is = |key| Opening { key, other: None, taken: None };
    let Some(begun) = next::read(dir)? else {
        next::end_done(dir);
        return Ok(as_it_is(held));
    };
    let fresh = match held.has_check(&begun.to) {
        true => held.clone(),
        false => match next::unlocked(&begun, &held) {
            Some(fresh) => fresh,
            None => {
                tracing::error!("what stands as this tablet's next key is not locked with its present one");
                return Ok(as_it_is(held));
            }
        },
    };
    if let Err(broken) = go_over(dir, &held, &fresh) {
        tracing::warn!(?broken, "not all files could be taken over to the fresh key; the next start tries again");
        // It is the last to go over.
        let is_over = second_copy::is_whole(dir, &fresh).unwrap_or(false) && opens(&dir.join(RECORDS_FILE), &fresh);
        let (key, other) = if is_over { (fresh, held) } else { (held, fresh) };
        return Ok(Opening { key, other: Some(other), taken: None });
    }
    let taken = match next::take(dir, &fresh, protection, store) {
        Ok(()) => Some(begun.order),
        Err(fault) => {
            tracing::warn!(%fault, "the fresh key could not be put in its place; the next start tries again");
            None
        }
    };
    Ok(Opening { key: fresh, other: None, taken })
}

/// Every file under the fresh key.
fn go_over(dir: &Path, from: &DeviceKey, to: &DeviceKey) -> Result<(), Broken> {
    let on_disk = |e: std::io::Error| Broken::of_io(&e);
    for name in [RECORDS_FILE, IDENTITY_FILE] {
        // What a cut left of it is ended first, by whoever opens it.
        aside::go_on(&dir.join(name)).map_err(Broken::Refused)?;
        if copy_of(&dir.join(name)).exists() {
            return Err(Broken::Other("a file is being brought up".to_owned()));
        }
    }
    if !second_copy::is_whole(dir, from).map_err(on_disk)? && !second_copy::is_whole(dir, to).map_err(on_disk)? {
        return Err(Broken::Damaged("the second copy".to_owned()));
    }
    one(&dir.join(RECORDS_FILE), from, to, Schema::Records)?;
    failpoint!("renew.records");
    one(&dir.join(IDENTITY_FILE), from, to, Schema::Identity)?;
    failpoint!("renew.identity");
    second_copy::go_over(dir, from, to).map_err(on_disk)?;
    failpoint!("renew.copy");
    match aside::is_any(dir) && !from.is(to) {
        true => next::keep_former(dir, from, to).map_err(on_disk),
        false => Ok(()),
    }
}

fn one(path: &Path, from: &DeviceKey, to: &DeviceKey, schema: Schema) -> Result<(), Broken> {
    if !path.exists() || opens(path, to) { Ok(()) } else { rekey(path, from, to, schema) }
}

impl Inner {
    /// Step 1, where the facility asked for it and it was not done. Where it fails, the next word and the next start try
    /// again.
    pub(crate) fn begin_renewal(&self, identity: &Identity) {
        let asked = identity.trust.as_ref().and_then(|trust| trust.renewal.as_ref()).map(|renewal| renewal.since);
        let Some(order) = asked.filter(|asked| identity.renewed.is_none_or(|renewed| renewed < *asked)) else { return };
        let is_begun = |begun: &lamplight_domain::wire::NextKey| next::unlocked(begun, &self.key).is_some();
        let begun = match next::read(&self.dir) {
            // At work: one after the other.
            Ok(Some(begun)) if is_begun(&begun) || self.key.has_check(&begun.to) => return,
            Ok(_) if self.is_frozen() => return,
            Ok(_) => next::begin(&self.dir, &self.key, order, &*self.chance),
            Err(refusal) => Err(refusal),
        };
        match begun {
            Ok(()) => tracing::info!("this tablet takes a fresh key at its next start"),
            Err(refusal) => tracing::warn!(code = %refusal.code, "a fresh key could not be begun"),
        }
        failpoint!("renew.begun");
    }

    /// Step 4. What of it cannot be done is done by the next start.
    pub(crate) fn end_renewal(&self, order: Ms) -> Result<(), Broken> {
        if self.is_frozen() {
            return Ok(());
        }
        if let Some(identity) = self.identity() {
            if identity.renewed.is_none_or(|renewed| renewed < order) {
                self.audit(None, Audit { what: RENEWED.to_owned(), ..Audit::of(Act::KeyRotated) });
                self.set_identity(Identity { renewed: Some(order), ..identity.as_ref().clone() })?;
            }
            // Until the facility could open the files by the fresh one.
            if identity.trust.is_some() && !self.recoverable.load(Ordering::SeqCst) {
                return Ok(());
            }
        }
        failpoint!("renew.told");
        next::done(&self.dir).map_err(|e| Broken::of_io(&e))?;
        failpoint!("renew.done");
        Ok(())
    }
}
