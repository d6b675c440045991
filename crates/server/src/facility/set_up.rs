//! A facility with nothing in it: it is founded in an empty folder, and whoever shows the code that the server printed at
//! its start becomes its first administrator.

use super::{FacilityServer, founding};
use crate::lists;
use crate::surroundings::Surroundings;
use lamplight_domain::ids::FacilityId;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::{Facility, Roster, Settings};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Without letters and digits that are taken for each other: 5 bits each.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 60 bits.
const CODE_CHARS: usize = 12;

/// Founds a facility where the folder is missing or holds nothing. False where something is in it.
/// Errors: those of [`super::found`].
pub fn found_if_empty(path: &Path, around: &Surroundings) -> Result<bool, Refusal> {
    founding::found_if_empty(path, &nothing(around), around)
}

pub(super) fn nothing(around: &Surroundings) -> Roster {
    Roster {
        version: 1,
        facility: Facility { id: FacilityId(around.uuid()), name: String::new(), zone: chrono_tz::UTC, demo: false },
        wards: Vec::new(),
        staff: Vec::new(),
        tablets: Vec::new(),
        lists: lists::lists(),
        settings: Settings { emergency_steps: lists::emergency_steps(), ..Settings::default() },
    }
}

/// Nobody is on the staff list: nobody can log in, and nobody can be let in by anybody else.
pub fn is_unset(roster: &Roster) -> bool {
    roster.staff.is_empty() && !roster.facility.demo
}

/// The hash of the code of this start; none once it was used.
#[derive(Default)]
pub(super) struct SetUpCode(Mutex<Option<[u8; 32]>>);

fn hash(code: &str) -> [u8; 32] {
    let plain = |c: char| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        c => c,
    };
    let code: Zeroizing<String> = Zeroizing::new(code.chars().filter(char::is_ascii_alphanumeric).map(plain).collect());
    Sha256::digest([b"lamplight.set-up.v1\0", code.as_bytes()].concat()).into()
}

impl FacilityServer {
    /// A new code, where this facility needs one: "K7QM-2XWD-9FHT". The one before it is good no more. Only its hash is
    /// kept, and only in memory.
    pub fn new_set_up_code(&self) -> Option<Zeroizing<String>> {
        let code = is_unset(&self.roster()).then(|| {
            let random = Zeroizing::new(self.inner.around.bytes::<CODE_CHARS>());
            let mut text = Zeroizing::new(String::new());
            for (n, byte) in random.iter().enumerate() {
                if n > 0 && n.is_multiple_of(4) {
                    text.push('-');
                }
                text.push(char::from(LETTERS[usize::from(byte & 31)]));
            }
            text
        });
        *self.inner.set_up_code.0.lock().unwrap_or_else(PoisonError::into_inner) = code.as_deref().map(|c| hash(c));
        code
    }

    /// Is it the code of this start? Takes as long for a wrong one.
    pub fn is_set_up_code(&self, code: &str) -> bool {
        let kept = *self.inner.set_up_code.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.is_some_and(|kept| bool::from(kept.ct_eq(&hash(code))))
    }

    pub fn forget_set_up_code(&self) {
        *self.inner.set_up_code.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_something_in_it_is_left_alone_and_a_code_is_of_one_start() {
        let folder = tempfile::tempdir().unwrap();
        let around = Surroundings::real();
        std::fs::write(folder.path().join("letter.txt"), "mine").unwrap();
        assert!(!found_if_empty(folder.path(), &around).unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let path = folder.path().join("data");
        assert!(found_if_empty(&path, &around).unwrap());
        assert!(!found_if_empty(&path, &around).unwrap(), "it stands");
        let server = FacilityServer::open(&path, around).unwrap();
        assert!(!server.is_set_up_code(""), "none was made");
        let first = server.new_set_up_code().unwrap();
        assert_eq!((first.len(), first.split('-').count()), (14, 3));
        assert!(server.is_set_up_code(&first.to_lowercase().replace('-', " ")));
        assert!(!server.is_set_up_code("0000-0000-0000"));
        let second = server.new_set_up_code().unwrap();
        assert!(!server.is_set_up_code(&first) && server.is_set_up_code(&second));
        server.forget_set_up_code();
        assert!(!server.is_set_up_code(&second));
    }
}
