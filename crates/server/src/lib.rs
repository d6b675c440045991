//! The facility server: holds every record durably, tells every tablet what the others wrote, and shows the station
//! what is known. `docs/sync.md` is the protocol.
//!
//! Read in this order: [`folder`] (where it lies), [`store`] (what it holds), [`facility`] (what it does), [`http`]
//! (how tablets reach it), [`station`] (how people see it).

pub mod cli;
pub mod commands;
pub mod core_dumps;
pub mod demo;
pub mod facility;
pub mod failpoint;
pub mod folder;
pub mod http;
pub mod lists;
pub mod pins;
pub mod station;
pub mod store;
pub mod surroundings;
pub mod tls;

pub use commands::{backup, examine, export, invite, make_demo, verify};
pub use facility::FacilityServer;
pub use http::{Options, Running, serve};
pub use surroundings::Surroundings;
