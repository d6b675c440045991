//! What shows, long after, how far a chain had gone: heads with their authors' signatures, and whether an author is
//! one of this facility at all.

use super::{Credential, Endorser, FacilityKeys, Head, PublicKey, Signature, verify};
use crate::ids::{AuthorId, FacilityId};
use serde::{Deserialize, Serialize};

/// Credentials between an author and the facility key: more forks of one tablet than this are not followed.
const ENDORSERS_MAX: usize = 1_000;

/// An author's own word for how far its chain goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedHead {
    pub head: Head,
    /// The author's, over [`Head::message`].
    pub signature: Signature,
}

impl SignedHead {
    pub fn holds(&self, key: &PublicKey, facility: FacilityId) -> bool {
        verify(key, &self.head.message(facility), &self.signature)
    }
}

/// True where one of the facility's keys vouches for the author, through former authors of the same tablet where it came about
/// by a fork. `former` finds a credential by its author.
pub fn is_vouched_for(
    credential: &Credential,
    facility: FacilityId,
    facility_keys: &FacilityKeys,
    former: impl Fn(AuthorId) -> Option<Credential>,
) -> bool {
    let mut at = credential.clone();
    for _ in 0..ENDORSERS_MAX {
        if at.facility != facility {
            return false;
        }
        let Endorser::Author(by) = at.endorser else { return facility_keys.vouch_for(&at) };
        let Some(endorser) = former(by).filter(|e| e.author == by && e.tablet == at.tablet) else { return false };
        if !at.holds(&endorser.key) {
            return false;
        }
        at = endorser;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::Hash;
    use super::super::fixture::{facility, key};
    use super::*;
    use crate::ids::TabletId;
    use uuid::Uuid;

    fn tablet(n: u128) -> Option<TabletId> {
        Some(TabletId(Uuid::from_u128(n)))
    }
    fn by_facility(n: u8, of: u128) -> Credential {
        Credential::sign(&key(9), Endorser::Facility, facility(), key(n).public(), tablet(of))
    }
    fn by_author(by: u8, n: u8, of: u128) -> Credential {
        Credential::sign(&key(by), Endorser::Author(key(by).author()), facility(), key(n).public(), tablet(of))
    }

    #[test]
    fn a_fork_is_vouched_for_by_its_former_author_and_only_for_the_same_tablet() {
        let (first, second, third) = (by_facility(1, 3), by_author(1, 2, 3), by_author(2, 4, 3));
        let vouched = |of: &Credential, known: &[Credential]| {
            let find = |id| known.iter().find(|c| c.author == id).cloned();
            is_vouched_for(of, facility(), &key(9).public().into(), find)
        };
        assert!(vouched(&first, &[]));
        assert!(vouched(&third, &[first.clone(), second.clone()]));
        assert!(!vouched(&third, std::slice::from_ref(&first)), "one of them is not known");
        assert!(!vouched(&by_author(1, 5, 8), std::slice::from_ref(&first)), "for another tablet");
        assert!(!vouched(&by_author(1, 1, 3), &[by_author(1, 1, 3)]), "nobody vouches for themselves");
        assert!(!is_vouched_for(&first, facility(), &key(8).public().into(), |_| None), "another facility's key");
        assert!(!is_vouched_for(&first, FacilityId(Uuid::from_u128(8)), &key(9).public().into(), |_| None));
    }

    #[test]
    fn a_signed_head_holds_only_as_it_was_signed() {
        let head = Head { author: key(1).author(), seq: 3, hash: Hash([9; 32]) };
        let signed = SignedHead { head, signature: key(1).sign(&head.message(facility())) };
        assert!(signed.holds(&key(1).public(), facility()));
        assert!(!signed.holds(&key(2).public(), facility()));
        assert!(!SignedHead { head: Head { seq: 4, ..head }, ..signed }.holds(&key(1).public(), facility()));
    }
}
