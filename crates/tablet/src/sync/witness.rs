//! The heads that come with a page: checked, then kept, so that this tablet can show one day what the server had.

use crate::file::heads;
use crate::identity::Identity;
use lamplight_domain::chain::{Credential, is_vouched_for};
use lamplight_domain::ids::AuthorId;
use lamplight_domain::wire::HeadShown;
use rusqlite::Connection;
use std::collections::HashMap;

/// In the transaction that stores the page. What does not hold is left out and logged: it proves nothing, and the
/// page's rows are as good without it.
pub(super) fn keep(to: &Connection, identity: &Identity, shown: &[HeadShown]) -> rusqlite::Result<()> {
    for HeadShown { signed, credentials } in shown {
        let author = signed.head.author;
        let brought: HashMap<AuthorId, &Credential> = credentials.iter().map(|c| (c.author, c)).collect();
        let kept = heads::credential(to, author)?;
        let is_new = kept.is_none();
        let credential = match kept {
            Some(kept) => Some(kept),
            None => brought.get(&author).map(|c| Credential::clone(c)).filter(|credential| {
                let former = |id| {
                    brought.get(&id).map(|c| Credential::clone(c)).or_else(|| heads::credential(to, id).ok().flatten())
                };
                is_vouched_for(credential, identity.facility, &identity.facility_key, former)
            }),
        };
        let Some(credential) = credential.filter(|c| signed.holds(&c.key, identity.facility)) else {
            tracing::warn!(%author, seq = signed.head.seq, "the server showed a head that does not hold");
            continue;
        };
        if is_new {
            // Who vouches, too: so that it can be checked again from the file alone.
            heads::keep_credential(to, &credential)?;
            for former in credentials.iter().filter(|c| c.author != author) {
                heads::keep_credential(to, former)?;
            }
        }
        if heads::keep(to, signed)? {
            tracing::error!(%author, seq = signed.head.seq, "the server showed two histories of one author");
        }
    }
    Ok(())
}
