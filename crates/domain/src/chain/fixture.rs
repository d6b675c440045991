//! What the tests of signatures share: keys by number, and one facility.

use super::SigningKey;
use crate::ids::FacilityId;
use uuid::Uuid;

pub fn key(n: u8) -> SigningKey {
    SigningKey::from_seed(&[n; 32])
}
pub fn facility() -> FacilityId {
    FacilityId(Uuid::from_u128(7))
}
