//! The mark that a cursor carries: only this facility can have given it out. So a cursor that does not fit the feed
//! shows either that rows were lost, or nothing at all.

use hmac::{Hmac, KeyInit, Mac};
use lamplight_domain::chain::{Hash, SigningKey};
use lamplight_domain::ids::WardId;
use lamplight_domain::wire::Cursor;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

#[derive(Clone)]
pub struct CursorMarks(Zeroizing<[u8; 32]>);

fn mac(key: &[u8], message: &[&[u8]]) -> [u8; 32] {
    // A key of any length is one for HMAC.
    #[allow(clippy::expect_used)]
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes every key");
    message.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

impl CursorMarks {
    /// The key is derived from the facility's, so that it survives with it (HKDF-SHA256, no salt, one block).
    pub fn of(facility_key: &SigningKey) -> CursorMarks {
        let seed = Zeroizing::new(facility_key.seed());
        let extracted = Zeroizing::new(mac(&[0; 32], &[&*seed]));
        CursorMarks(Zeroizing::new(mac(&*extracted, &[b"lamplight.cursor.v1", &[1]])))
    }

    fn mark(&self, ward: WardId, cursor: &Cursor) -> Hash {
        let n = cursor.n.to_be_bytes();
        Hash(mac(&*self.0, &[cursor.generation.as_bytes(), ward.0.as_bytes(), &n, &cursor.hash.0]))
    }

    /// The cursor with its mark. Only for rows that are committed.
    pub fn given(&self, ward: WardId, cursor: Cursor) -> Cursor {
        Cursor { mac: Some(self.mark(ward, &cursor)), ..cursor }
    }

    /// Was it given out here, for this ward?
    pub fn is_ours(&self, ward: WardId, cursor: &Cursor) -> bool {
        cursor.mac.is_some_and(|mac| mac.0.ct_eq(&self.mark(ward, cursor).0).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_mark_holds_for_the_very_cursor_ward_and_facility() {
        let marks = CursorMarks::of(&SigningKey::from_seed(&[1; 32]));
        let (ward, other) = (WardId(Uuid::from_u128(1)), WardId(Uuid::from_u128(2)));
        let plain = Cursor { generation: Uuid::from_u128(3), n: 4, hash: Hash([5; 32]), mac: None };
        let given = marks.given(ward, plain);
        assert!(marks.is_ours(ward, &given));
        assert!(!marks.is_ours(ward, &plain), "no mark");
        assert!(!marks.is_ours(other, &given));
        assert!(!CursorMarks::of(&SigningKey::from_seed(&[2; 32])).is_ours(ward, &given));
        let bent: [fn(&mut Cursor); 3] =
            [|c| c.n += 1, |c| c.hash = Hash([6; 32]), |c| c.generation = Uuid::from_u128(9)];
        for bend in bent {
            let mut cursor = given;
            bend(&mut cursor);
            assert!(!marks.is_ours(ward, &cursor), "{cursor:?}");
        }
    }
}
