//! One tablet without a window: its encrypted file, sign-in, commands and sync.
//!
//! Read in this order: `tablet` (what is held open), `record` (an entry), `pen` (where it becomes durable, twice),
//! `agree` (how the two copies are compared), `answer` (the page's commands), `sync` (push, pull, confirmation), `file`
//! (the tables).

mod agree;
#[cfg(test)]
mod agree_tests;
mod answer;
mod audit;
#[cfg(test)]
mod audit_tests;
mod clock;
mod contact;
pub mod core_dumps;
pub mod crash;
#[cfg_attr(not(debug_assertions), allow(unused))]
pub mod disk;
mod export;
#[cfg_attr(not(debug_assertions), allow(unused))]
pub mod failpoint;
mod file;
mod handed_over;
mod identity;
mod keys;
mod known;
mod offline;
mod pen;
mod prune;
#[cfg(test)]
mod prune_tests;
mod rebuild;
mod record;
#[cfg(test)]
mod release_tests;
mod renewal;
#[cfg(test)]
mod renewal_tests;
mod reserve;
mod second_copy;
mod session;
mod sign_in;
#[cfg(test)]
mod sign_in_tests;
mod sync;
mod tablet;
#[cfg(test)]
mod testing;
mod trouble;
mod verify;
mod words;

pub use answer::state::SyncState;
pub use clock::{Clock, SystemClock};
pub use keys::{Chance, KeyStore, Protection, SecretService, StoreFault};
pub use sync::SyncReport;
pub use tablet::{Options, Tablet};
pub use verify::{PrunedLink, Verified, verify};
