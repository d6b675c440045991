//! Random histories of many tablets and one server, played from a seed: the real tablet and the real server in one
//! process, over a line that the history decides about, with clocks that it moves and files that it harms. A ledger of
//! what was shown as saved is kept beside them, and everything is held against it.
//!
//! Read in this order: [`story`] (what can happen), [`line`] (a network that does what the story says), [`world`] (who
//! is there), [`play`] (how a step is played), [`ledger`] (what must be true), [`run`] (many seeds, and the shortest
//! story of one that fails).

mod ground;
mod harm;
mod ledger;
mod line;
mod log;
mod play;
mod run;
mod station;
mod story;
mod unit;
mod world;

pub use run::{Failure, Found, Playing, histories, story, twice};
pub use story::{Half, Harm, How, Step, What, story_of};
