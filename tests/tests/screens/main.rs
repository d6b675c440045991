//! The real window under Xvfb and the station in real Chromium, against a real server process behind a cable.
//! Left out with a message where a program is missing; with CI=true that is a failure.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends here")]

mod crash;
mod first_ward;
mod fresh;
mod full;
mod ground;
mod hostile;
mod looks;
mod station;
mod story;
mod traces;
