//! What records add up to: a table test for every rule of the field that the ward's functions decide, and properties
//! over random histories. Times are minutes from 02:00 of one November night in New York unless a test says otherwise.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod ground;

mod amendments;
mod claims;
mod clocks;
mod counts;
mod days;
mod emergencies;
mod joins;
mod levels;
mod locked;
mod may;
mod nights;
mod properties;
mod walk;
