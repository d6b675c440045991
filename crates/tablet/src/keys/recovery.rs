//! The device key for the facility: sealed to its encryption key, beside the files. What is broken about a tablet's own
//! way to its key then costs no record: `lamplight-server recover` opens a copy of the folder.

use super::{Chance, DeviceKey, write_private};
use crate::identity::Identity;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::wire::{RECOVERY_FILE, Recovery};
use std::path::Path;
use zeroize::Zeroizing;

/// Durable before it returns, and written only where what stands there is not it. False where the facility has not said
/// what to seal to. Errors: "recovery.unwritten".
pub fn keep(dir: &Path, key: &DeviceKey, identity: &Identity, chance: &Chance) -> Result<bool, Refusal> {
    let Some(to) = identity.trust.as_ref().map(|trust| trust.encryption_key) else { return Ok(false) };
    let path = dir.join(RECOVERY_FILE);
    let stands = std::fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Recovery>(&text).ok());
    if stands.is_some_and(|stands| stands.is_for(identity.facility, identity.tablet, to, &key.0)) {
        return Ok(true);
    }
    let mut fresh = Zeroizing::new([0; 32]);
    chance(fresh.as_mut())?;
    let sealed = Recovery::seal(identity.facility, identity.tablet, to, &key.0, &fresh)
        .ok_or_else(|| unwritten("nothing can be sealed to the facility's key"))?;
    let text = serde_json::to_vec(&sealed).unwrap_or_default();
    write_private(dir, RECOVERY_FILE, &text).map_err(|e| unwritten(&e.to_string()))?;
    Ok(true)
}

fn unwritten(why: &str) -> Refusal {
    Refusal::new(
        "recovery.unwritten",
        format!("The facility could not open this tablet's files if its key were lost: {why}."),
        "Go on recording; tell whoever looks after the tablets.",
    )
}
