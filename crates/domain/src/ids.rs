//! Identifiers. Each is a UUID of its own type, so that a stay can never be passed where a ward is meant.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
        #[serde(transparent)]
        #[ts(type = "string", export_to = "ids.ts")]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )*};
}

id! {
    /// One hospital with one signing key and one server.
    FacilityId,
    WardId,
    /// A person across stays. Two of them may later turn out to be one (a merge is a record).
    PatientId,
    /// One admission. Entries belong to a stay, never to a bed or an MRN.
    StayId,
    StaffId,
    /// One device as the facility knows it; it keeps its id when its author changes after a fork.
    TabletId,
    /// Who numbers and chains links. Derived from the author's public key: see [`crate::chain::author_of`].
    AuthorId,
    /// UUIDv7. The draft already owns it, so that a repeated save is recognised.
    RecordId,
}

impl WardId {
    /// The facility itself, where a record is of no ward: audit.
    pub const FACILITY: WardId = WardId(Uuid::nil());
}
