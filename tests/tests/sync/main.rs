//! Tablets and a real server process over a cable that can be cut. No window, no display.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends here")]

mod bad_input;
mod certificates;
mod contact;
mod disk;
mod evidence;
mod fixture;
mod floods;
mod frugal;
mod guest;
mod hostile;
mod keys;
mod life_cycle;
mod plug;
mod poison;
mod raw;
mod replicas;
mod restored;
mod revoked;
mod rotation;
mod rules;
mod secret_service;
mod sim;
mod story_clock;
mod transfer;
