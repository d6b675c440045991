//! A refusal says what is wrong and what to do next, in the user's words, with a stable code underneath.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, thiserror::Error)]
#[error("{what} {next} [{code}]")]
#[ts(export_to = "refusal.ts")]
pub struct Refusal {
    /// Stable, for tests and support: "pin.wrong".
    pub code: String,
    /// What is wrong, one sentence.
    pub what: String,
    /// What to do next, one sentence.
    pub next: String,
}

impl Refusal {
    pub fn new(code: &str, what: impl Into<String>, next: impl Into<String>) -> Refusal {
        Refusal { code: code.to_owned(), what: what.into(), next: next.into() }
    }
}
