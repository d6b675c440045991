//! What a screen shows: plain data, words included, made by [`crate::ward`] from (records, contacts, now). The same
//! views serve the tablet and the station; a screen adds nothing but layout.

mod board;
mod card;
mod day;
mod locked;

pub use board::*;
pub use card::*;
pub use day::*;
pub use locked::*;
