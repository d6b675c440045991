//! The second copy: it holds every own link that no receipt confirms, and the records file holds all that it does.

use super::{Facts, Verified};
use crate::file::links;
use crate::second_copy::Found;
use crate::tablet::confirmed;
use lamplight_domain::chain::{Hash, Link};
use lamplight_domain::findings::{Finding, Findings};
use rusqlite::Connection;
use std::collections::HashMap;

pub(super) fn compare(
    from: &Connection,
    facts: &Facts<'_>,
    copy: &Found,
    verified: &mut Verified,
    found: &mut Findings,
) -> rusqlite::Result<()> {
    let Some(author) = facts.authors().last().copied() else { return Ok(()) };
    let head = links::head(from, author)?;
    let confirmed = confirmed(from, author)?;
    verified.waiting = head.seq.saturating_sub(confirmed);
    if copy.damaged && (copy.head.is_some() || verified.waiting > 0) {
        found.add(Finding::new("copy.damaged", "the second copy is damaged"));
    }
    let mut kept: HashMap<u64, Hash> = HashMap::new();
    for (link, _) in copy.links.iter().filter(|(link, _)| link.author == author) {
        kept.insert(link.seq, link.hash());
        let Link { seq, .. } = *link;
        match links::hash_at(from, author, seq)? {
            Some(own) if own == link.hash() => {}
            Some(_) => {
                let what = format!("link {seq} of author {author} is another one in the second copy");
                found.add(Finding::new("copy.differs", what).at(author, seq));
            }
            None => {
                let what = format!("link {seq} of author {author} is in the second copy and in the records no more");
                let code = if seq > head.seq { "chain.cut_off" } else { "link.missing" };
                found.add(Finding::new(code, what).at(author, seq));
            }
        }
    }
    for seq in (confirmed + 1)..=head.seq {
        if !kept.contains_key(&seq) && links::hash_at(from, author, seq)?.is_some() {
            let what = format!("link {seq} of author {author} waits for the station and is not in the second copy");
            found.add(Finding::new("copy.missing", what).at(author, seq));
        }
    }
    if let Some(then) = copy.head.filter(|then| then.author == author)
        && links::hash_at(from, author, then.seq)? != Some(then.hash)
    {
        let what = format!("the chain of author {author} went through another link {} once", then.seq);
        found.add(Finding::new("copy.differs", what).at(author, then.seq));
    }
    Ok(())
}
