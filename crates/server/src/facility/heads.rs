//! Signed heads for the reader of a page: so that tablets keep evidence of what this server's history was.

use crate::store::authors::{self, Author};
use crate::store::feed::{Sent, WardNo};
use crate::store::{StoreError, feed, heads, links};
use lamplight_domain::chain::{Credential, Endorser, Head, SignedHead};
use lamplight_domain::ids::{AuthorId, FacilityId, TabletId};
use lamplight_domain::wire::HeadShown;
use rusqlite::Connection;
use std::collections::HashSet;

/// So many of the server's newest authors are looked at beside the one that serves: commands, each an author of its own.
const OWN_NEWEST: usize = 4;
/// Former authors of one tablet that are sent along; a reader keeps those that it has.
const CREDENTIALS_MAX: usize = 16;

/// Of every author of these rows but the reader itself, which has receipts; and of the server's own authors that wrote
/// anything after row `since`, for whichever ward. Nothing for a page without rows.
pub(super) fn shown(
    db: &Connection,
    facility: FacilityId,
    (ward, since): (WardNo, u64),
    rows: &[Sent],
    (reader, serving): (Option<TabletId>, AuthorId),
) -> Result<Vec<HeadShown>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut seen: HashSet<AuthorId> = HashSet::new();
    let mut found: Vec<Author> = Vec::new();
    for id in rows.iter().map(|row| row.row.author) {
        if seen.insert(id) {
            found.extend(authors::find(db, id)?);
        }
    }
    found.retain(|author| author.tablet.is_none() || author.tablet != reader);
    let known = feed::body_at(db, ward, since)?;
    // Its audit stands in no ward's feed: nothing else shows how far it goes.
    let newest = authors::newest_of_server(db, OWN_NEWEST)?;
    for own in authors::find(db, serving)?.into_iter().chain(newest) {
        let is_news = links::newest_body(db, own.no)?.is_some_and(|body| known.is_none_or(|known| body.0 > known.0));
        if is_news && seen.insert(own.id) {
            found.push(own);
        }
    }
    let mut shown = Vec::new();
    for author in found {
        let Some((seq, signature)) = heads::newest(db, author.no)? else { continue };
        let Some(hash) = links::hash_at(db, author.no, seq)? else { continue };
        let signed = SignedHead { head: Head { author: author.id, seq, hash }, signature };
        shown.push(HeadShown { signed, credentials: credentials(db, facility, author)? });
    }
    Ok(shown)
}

fn credentials(db: &Connection, facility: FacilityId, author: Author) -> Result<Vec<Credential>, StoreError> {
    let mut all = vec![author.credential(facility)];
    let mut endorser = author.endorser;
    while let Endorser::Author(by) = endorser
        && all.len() < CREDENTIALS_MAX
    {
        let Some(former) = authors::find(db, by)? else { break };
        endorser = former.endorser;
        all.push(former.credential(facility));
    }
    Ok(all)
}
