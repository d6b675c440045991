//! A facility's signing key gives place to the next one, which it names itself. So whoever knows any of a facility's keys
//! finds the present one, however long they were away.

use super::{Credential, PublicKey, Receipt, Signature, SigningKey, verify};
use crate::ids::FacilityId;
use crate::time::Ms;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Succession {
    pub from: PublicKey,
    pub to: PublicKey,
    /// Server time: no receipt of the former key says that anything was received later.
    pub since: Ms,
    /// The former key over [`Succession::message`]: whoever knows it knows the next.
    pub signature: Signature,
    /// The next key over the same: whoever knows it knows what was before, and nobody else puts a key there.
    pub accepted: Signature,
}

impl Succession {
    pub fn sign(from: &SigningKey, facility: FacilityId, to: &SigningKey, since: Ms) -> Succession {
        let message = Self::message(facility, &from.public(), &to.public(), since);
        let (signature, accepted) = (from.sign(&message), to.sign(&message));
        Succession { from: from.public(), to: to.public(), since, signature, accepted }
    }
    pub fn holds(&self, facility: FacilityId) -> bool {
        let message = Self::message(facility, &self.from, &self.to, self.since);
        verify(&self.from, &message, &self.signature) && verify(&self.to, &message, &self.accepted)
    }
    /// "lamplight.succession.v1\0" ‖ facility ‖ from ‖ to ‖ since (i64, big-endian).
    fn message(facility: FacilityId, from: &PublicKey, to: &PublicKey, since: Ms) -> Vec<u8> {
        [b"lamplight.succession.v1\0".as_slice(), facility.0.as_bytes(), &from.0, &to.0, &since.0.to_be_bytes()]
            .concat()
    }
}

/// What leads from a key that is known to the present one: nothing where it is the same. None where `all` (oldest first)
/// does not lead there; a key that had a successor never comes back.
pub fn successions_after(
    known: &PublicKey,
    present: &PublicKey,
    facility: FacilityId,
    all: &[Succession],
) -> Option<Vec<Succession>> {
    let (mut at, mut path) = (*known, Vec::new());
    for next in all {
        if next.from == at && at != *present && next.holds(facility) {
            at = next.to;
            path.push(next.clone());
        }
    }
    (at == *present).then_some(path)
}

/// How a facility came to its present key, as far back as each key accepted the one before it; oldest first.
pub fn successions_to(present: &PublicKey, facility: FacilityId, all: &[Succession]) -> Vec<Succession> {
    let (mut at, mut path) = (*present, Vec::new());
    for before in all.iter().rev() {
        if before.to == at && before.holds(facility) {
            at = before.from;
            path.insert(0, before.clone());
        }
    }
    path
}

/// The keys that a facility signs and signed with. What a former one signed still stands; it signs nothing new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacilityKeys {
    present: PublicKey,
    /// With the time of their successions.
    former: Vec<(PublicKey, Ms)>,
}

impl FacilityKeys {
    /// `successions`: those that led to the present key, already checked.
    pub fn new(present: PublicKey, successions: &[Succession]) -> FacilityKeys {
        FacilityKeys { present, former: successions.iter().map(|s| (s.from, s.since)).collect() }
    }
    /// A credential has no time: that of a former key holds as long as it is known.
    pub fn vouch_for(&self, credential: &Credential) -> bool {
        credential.holds(&self.present) || self.former.iter().any(|(key, _)| credential.holds(key))
    }
    /// A receipt that is kept. Of a former key, only for what was received while it signed.
    pub fn signed(&self, receipt: &Receipt, facility: FacilityId) -> bool {
        let by_former = |(key, since): &(PublicKey, Ms)| receipt.received_at <= *since && receipt.holds(key, facility);
        receipt.holds(&self.present, facility) || self.former.iter().any(by_former)
    }
}

impl From<PublicKey> for FacilityKeys {
    fn from(present: PublicKey) -> FacilityKeys {
        FacilityKeys { present, former: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{facility, key};
    use super::super::{Endorser, Hash, Head};
    use super::*;
    use uuid::Uuid;

    /// From the nth key to the one after it, at n seconds.
    fn after(n: u8) -> Succession {
        Succession::sign(&key(n), facility(), &key(n + 1), Ms(i64::from(n) * 1_000))
    }
    fn led(known: u8, present: u8, all: &[Succession]) -> Option<usize> {
        successions_after(&key(known).public(), &key(present).public(), facility(), all).map(|path| path.len())
    }

    #[test]
    fn whoever_knows_any_key_is_led_to_the_present_one_and_never_back() {
        let all = [after(1), after(2), after(3)];
        assert_eq!([1, 2, 3, 4].map(|known| led(known, 4, &all)), [Some(3), Some(2), Some(1), Some(0)]);
        assert_eq!(led(4, 3, &all), None, "a server that was put back to before");
        assert_eq!(led(9, 4, &all), None, "another facility's");
        assert_eq!(led(1, 4, &[after(1), after(3)]), None, "one is missing");
        assert_eq!(led(1, 4, &[]), None);
        // Led on by a former key to somebody else's.
        let strangers = Succession::sign(&key(1), facility(), &key(66), Ms(5_000));
        assert_eq!(led(2, 66, &[after(1), strangers]), None, "who knows the second is not led by the first");
    }

    #[test]
    fn whoever_knows_the_present_key_knows_those_that_it_accepted_and_no_stranger() {
        let back = |all: &[Succession]| successions_to(&key(3).public(), facility(), all).len();
        assert_eq!(back(&[after(1), after(2)]), 2);
        assert_eq!(back(&[after(2), after(1)]), 1, "out of order");
        let mut claimed = Succession::sign(&key(66), facility(), &key(66), Ms(5_000));
        claimed.to = key(3).public();
        claimed.signature = key(66).sign(&Succession::message(facility(), &claimed.from, &claimed.to, claimed.since));
        assert_eq!(back(&[claimed]), 0, "whoever names the present key as a successor was nobody's");
    }

    #[test]
    fn a_succession_holds_only_as_the_former_key_signed_it() {
        let changes: [fn(&mut Succession); 5] = [
            |s| s.accepted = s.signature,
            |s| s.to = key(66).public(),
            |s| s.from = key(66).public(),
            |s| s.since = Ms(1),
            |s| s.signature = key(66).sign(b"else"),
        ];
        for change in changes {
            let mut other = after(1);
            change(&mut other);
            assert!(!other.holds(facility()), "{other:?}");
        }
        assert!(after(1).holds(facility()) && !after(1).holds(FacilityId(Uuid::from_u128(8))));
    }

    #[test]
    fn what_a_former_key_signed_still_stands_and_it_signs_nothing_new() {
        let keys = FacilityKeys::new(key(2).public(), &[after(1)]);
        let head = Head { author: key(5).author(), seq: 3, hash: Hash([9; 32]) };
        let receipt = |by, at| Receipt::sign(&key(by), facility(), head, Ms(at), Uuid::from_u128(1));
        assert!(keys.signed(&receipt(1, 1_000), facility()) && keys.signed(&receipt(2, 9_000), facility()));
        assert!(!keys.signed(&receipt(1, 1_001), facility()), "after its succession");
        assert!(!keys.signed(&receipt(3, 500), facility()));
        let by = |n| Credential::sign(&key(n), Endorser::Facility, facility(), key(5).public(), None);
        assert!(keys.vouch_for(&by(1)) && keys.vouch_for(&by(2)) && !keys.vouch_for(&by(3)));
    }
}
