//! Stories, faults and load over the built programs: what the tests, `lamplight-sim`, `lamplight-walk` and
//! `lamplight-bench` share. Everything here stays on 127.0.0.1 and ends only the processes that it started.

pub mod axe;
pub mod cable;
pub mod desk;
pub mod display;
pub mod facility;
#[cfg(debug_assertions)]
pub mod faults;
pub mod hands;
pub mod memory;
pub mod page;
pub mod phone;
pub mod process;
pub mod programs;
pub mod qr;
pub mod sim;
pub mod simulation;
pub mod small_disk;
pub mod station;
pub mod until;
pub mod window;
