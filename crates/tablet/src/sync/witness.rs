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
    let facility_keys = identity.facility_keys();
    for HeadShown { signed, credentials } in shown {
        let author = signed.head.author;
        let brought: HashMap<AuthorId, &Credential> = credentials.iter().map(|c| (c.author, c)).collect();
        let former =
            |id| brought.get(&id).map(|c| Credential::clone(c)).or_else(|| heads::credential(to, id).ok().flatten());
        let is_vouched = |c: &Credential| is_vouched_for(c, identity.facility, &facility_keys, former);
        let kept = heads::credential(to, author)?;
        let is_new = kept.is_none();
        let credential = match kept {
            Some(kept) => Some(kept),
            None => brought.get(&author).map(|c| Credential::clone(c)).filter(&is_vouched),
        };
        let Some(credential) = credential.filter(|c| signed.holds(&c.key, identity.facility)) else {
            tracing::warn!(%author, seq = signed.head.seq, "the server showed a head that does not hold");
            continue;
        };
        if is_new {
            // Who vouches, too: so that it can be checked again from the file alone.
            heads::keep_credential(to, &credential)?;
            for former in credentials.iter().filter(|c| c.author != author && is_vouched(c)) {
                heads::keep_credential(to, former)?;
            }
        }
        if heads::keep(to, signed)? {
            tracing::error!(%author, seq = signed.head.seq, "the server showed two histories of one author");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use lamplight_domain::chain::{Endorser, Hash, Head, SignedHead, SigningKey};
    use lamplight_domain::ids::TabletId;
    use uuid::Uuid;

    fn key(n: u8) -> SigningKey {
        SigningKey::from_seed(&[n; 32])
    }
    fn shown(by: u8, seq: u64, hash: u8, credentials: Vec<Credential>) -> HeadShown {
        let head = Head { author: key(by).author(), seq, hash: Hash([hash; 32]) };
        HeadShown { signed: SignedHead { head, signature: key(by).sign(&head.message(facility())) }, credentials }
    }
    fn credential(endorsed_by: &SigningKey, endorser: Endorser, of: u8) -> Credential {
        let tablet = Some(TabletId(Uuid::from_u128(44)));
        Credential::sign(endorsed_by, endorser, facility(), key(of).public(), tablet)
    }

    #[test]
    fn only_heads_that_hold_are_kept_and_none_is_kept_twice() {
        let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
        let tablet = joined(dir.path(), &clock, 1);
        let good = credential(&facility_key(), Endorser::Facility, 44);
        let forked = credential(&key(44), Endorser::Author(key(44).author()), 45);
        let mut bent = shown(44, 3, 1, vec![good.clone()]);
        bent.signed.head.seq = 4;
        let show = |heads: &[HeadShown]| {
            let identity = tablet.0.identity().unwrap();
            tablet.0.records.write(|to| keep(to, &identity, heads)).unwrap();
            let kept = tablet.0.records.read(heads::all).unwrap();
            kept.into_iter().map(|s| (s.head.author == key(44).author(), s.head.seq)).collect::<Vec<_>>()
        };
        let nothing: [HeadShown; 6] = [
            bent,
            shown(44, 3, 1, vec![]),
            shown(44, 3, 1, vec![credential(&key(9), Endorser::Author(key(9).author()), 44)]),
            shown(44, 3, 1, vec![credential(&key(8), Endorser::Facility, 44)]),
            // Its own credential holds; who vouches for it is not shown.
            shown(45, 3, 1, vec![forked.clone()]),
            shown(45, 3, 1, vec![good.clone()]),
        ];
        for head in nothing {
            assert_eq!(show(&[head]), []);
        }
        assert_eq!(show(&[shown(44, 3, 1, vec![good.clone()])]), [(true, 3)]);
        assert_eq!(show(&[shown(44, 3, 1, vec![good])]), [(true, 3)], "once");
        // Known by now: no credential is needed any more, also not of whoever vouches for a fork of it.
        assert_eq!(show(&[shown(44, 5, 2, vec![])]), [(true, 3), (true, 5)]);
        assert_eq!(show(&[shown(45, 1, 3, vec![forked])]), [(true, 3), (true, 5), (false, 1)]);
        // Another history: both are kept.
        assert_eq!(show(&[shown(44, 5, 9, vec![])]).len(), 4);
        for sql in [
            "UPDATE heads_seen SET seq = 1",
            "DELETE FROM heads_seen",
            "DELETE FROM authors_seen",
            "DELETE FROM receipts",
        ] {
            let refused = tablet.0.records.write(|to| {
                to.execute(
                    "INSERT INTO receipts SELECT 1, zeroblob(16), 1, zeroblob(32), 0, zeroblob(16), zeroblob(64)",
                    (),
                )?;
                to.execute(sql, ())
            });
            assert!(refused.is_err(), "{sql}");
        }
    }
}
