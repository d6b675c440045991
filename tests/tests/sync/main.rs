//! Tablets and a real server process over a cable that can be cut. No window, no display.

mod bad_input;
mod contact;
mod disk;
mod fixture;
mod plug;
mod replicas;
mod rules;
mod sim;
