//! What the command line does beside serving. Each works while another process serves the same folder.

mod backup;
mod export;
mod invite;
mod make_demo;
mod tablet;
mod verify;

pub use backup::{BackedUp, backup, backup_at};
pub use export::export;
pub use invite::{GOOD_FOR_MINUTES, invite, invite_for, ward_named};
pub use make_demo::{DemoMade, make_demo};
pub use tablet::{move_tablet, move_tablet_at, revoke_tablet, revoke_tablet_at};
pub use verify::{Restored, Verified, examine, verify};

use crate::folder::Folder;
use crate::store;
use lamplight_domain::refusal::Refusal;
use rusqlite::Connection;
use std::path::Path;

/// Opens a facility's file beside whoever serves it. Errors: those of [`Folder::existing`] and [`store::open`].
fn open_beside(path: &Path) -> Result<Connection, Refusal> {
    let folder = Folder::existing(path)?;
    store::open(&folder.database(), &folder.key()?)
}
