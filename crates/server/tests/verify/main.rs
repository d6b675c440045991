//! `verify`: whatever somebody with the key of the file does to it is found, and named.

#![allow(clippy::unwrap_used)] // A test may fail.

#[path = "../common/mod.rs"]
mod common;

mod against;
mod audit_rows;
mod forgers;
mod house;
mod one_change;
