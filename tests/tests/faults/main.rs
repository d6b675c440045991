//! Faults: power cuts, disks that fail, programs that die, networks that lie. After each of them, what was shown as
//! saved is on the server exactly once (invariants I1 to I8). `LAMPLIGHT_FAULTS=long` tries every place with a fresh
//! seed; `LAMPLIGHT_SEED=n` repeats one.

#![cfg(debug_assertions)] // The watched disk and the failpoints are in no release program.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends here")]

mod calls;
mod clocks;
mod crowd;
mod damage;
mod front;
mod house;
mod killed;
mod logs;
mod network;
mod points;
mod power;
mod service;
mod sim;
mod strace;
