//! What the ward means. Pure: no I/O, no async runtime, no clock, no randomness; `now` and keys are parameters.
//!
//! Read in this order: [`record`] (what is stored), [`kinds`] (what can be recorded), [`chain`] (how records are
//! linked and signed), [`wire`] (how they travel), [`ward`] (what they add up to), [`views`] (what a screen shows).

pub mod chain;
pub mod commands;
pub mod findings;
pub mod ids;
pub mod kinds;
pub mod level;
pub mod pin;
pub mod record;
pub mod refusal;
pub mod roster;
pub mod station;
pub mod time;
pub mod views;
pub mod ward;
pub mod wire;
