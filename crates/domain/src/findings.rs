//! What a walk over the evidence found, on the server or a tablet: every break by a stable code, an author, a number
//! and a record's id, never by what it says.

use crate::ids::AuthorId;
use serde::Serialize;
use std::collections::HashSet;
use uuid::Uuid;

/// So many are told one by one; all are counted.
const TOLD: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Finding {
    /// Stable: "link.changed".
    pub code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<AuthorId>,
    /// Of the author's link; of the row for a feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The record's id, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Uuid>,
    pub what: String,
}

impl Finding {
    /// `what`: a sentence without its full stop and without patient data.
    pub fn new(code: &'static str, what: impl Into<String>) -> Finding {
        Finding { code, author: None, seq: None, record: None, what: what.into() }
    }
    pub fn at(self, author: AuthorId, seq: u64) -> Finding {
        Finding { author: Some(author), seq: Some(seq), ..self }
    }
    pub fn record(self, id: Option<Uuid>) -> Finding {
        Finding { record: id.filter(|id| !id.is_nil()), ..self }
    }
}

/// Each once, in the order in which they were found.
#[derive(Debug, Default)]
pub struct Findings {
    count: u64,
    told: Vec<Finding>,
    seen: HashSet<(&'static str, Option<AuthorId>, Option<u64>, String)>,
}

impl Findings {
    pub fn add(&mut self, finding: Finding) {
        // By its place where it has one: two exports show the same break once.
        let what = if finding.author.is_some() { String::new() } else { finding.what.clone() };
        if !self.seen.insert((finding.code, finding.author, finding.seq, what)) {
            return;
        }
        self.count += 1;
        if self.told.len() < TOLD {
            self.told.push(finding);
        }
    }
    /// How many there are, and the first of them.
    pub fn into_parts(self) -> (u64, Vec<Finding>) {
        (self.count, self.told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_break_is_counted_once_and_a_hundred_are_told() {
        let mut found = Findings::default();
        let author = AuthorId(Uuid::from_u128(1));
        for seq in (0..150).chain(0..150) {
            found.add(Finding::new("link.missing", format!("seen by somebody, {seq}")).at(author, seq));
        }
        found.add(Finding::new("feed.missing", "one"));
        found.add(Finding::new("feed.missing", "another"));
        let (count, told) = found.into_parts();
        assert_eq!((count, told.len()), (152, 100));
    }
}
