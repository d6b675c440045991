//! What the server showed of others: credentials and signed heads.

use crate::file::{heads, links};
use crate::identity::Identity;
use lamplight_domain::chain::{Credential, is_vouched_for};
use lamplight_domain::findings::{Finding, Findings};
use lamplight_domain::ids::AuthorId;
use rusqlite::Connection;
use std::collections::HashMap;

/// Returns how many heads there are. A file of an older program has none.
pub(super) fn walk(from: &Connection, identity: &Identity, found: &mut Findings) -> rusqlite::Result<u64> {
    if !from.table_exists(None, "heads_seen")? {
        return Ok(0);
    }
    let mut known: HashMap<AuthorId, Credential> = HashMap::new();
    let kept = heads::credentials(from)?;
    known.extend(kept.iter().filter_map(|(author, c)| Some((*author, c.clone()?))));
    let former = |id: AuthorId| {
        let own = || identity.author_of(id).map(|own| own.credential.clone());
        known.get(&id).cloned().or_else(own)
    };
    for (author, credential) in &kept {
        let holds = credential.as_ref().is_some_and(|c| {
            c.author == *author && is_vouched_for(c, identity.facility, &identity.facility_keys(), former)
        });
        if !holds {
            let what = format!("author {author}, seen at the server, has a credential that does not hold");
            found.add(Finding { author: Some(*author), ..Finding::new("author.not_vouched", what) });
        }
    }
    let mut at: HashMap<(AuthorId, u64), lamplight_domain::chain::Hash> = HashMap::new();
    let shown = heads::all(from)?;
    for signed in &shown {
        let (author, seq) = (signed.head.author, signed.head.seq);
        match former(author) {
            Some(credential) if signed.holds(&credential.key, identity.facility) => {}
            Some(_) => {
                let what = format!("head {seq} of author {author}, seen at the server, is not signed by its author");
                found.add(Finding::new("head.does_not_hold", what).at(author, seq));
                continue;
            }
            None => {
                let what = format!("head {seq} is of author {author}, whose credential is gone");
                found.add(Finding::new("author.missing", what).at(author, seq));
                continue;
            }
        }
        if at.insert((author, seq), signed.head.hash).is_some_and(|before| before != signed.head.hash) {
            let what = format!("the server showed two histories of author {author}, both up to link {seq}");
            found.add(Finding::new("history.rewritten", what).at(author, seq));
        }
    }
    numbers(from, found)?;
    Ok(shown.len() as u64)
}

/// None is missing between others.
fn numbers(from: &Connection, found: &mut Findings) -> rusqlite::Result<()> {
    let mut statement = from.prepare("SELECT n, author, seq FROM heads_seen ORDER BY n")?;
    let mut rows = statement.query(())?;
    let mut last = 0;
    while let Some(row) = rows.next()? {
        let n: i64 = row.get(0)?;
        if n != last + 1 {
            let author = AuthorId(uuid::Uuid::from_bytes(row.get(1)?));
            let seq = links::number(row.get(2)?);
            let what =
                format!("heads {} to {} are gone, before the one for link {seq} of author {author}", last + 1, n - 1);
            found.add(Finding::new("head.missing", what).at(author, seq));
        }
        last = n;
    }
    Ok(())
}
