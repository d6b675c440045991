//! Invented people. Any likeness to a living person is chance.

use lamplight_domain::roster::Role;

/// Family name, given name, number on paper, role.
pub const STAFF: [(&str, &str, &str, Role); 10] = [
    ("Okafor", "Miriam", "MHT 2304", Role::Technician),
    ("Delgado", "Ines", "MHT 2217", Role::Technician),
    ("Chowdhury", "Rafi", "MHT 2290", Role::Technician),
    ("Bauer", "Jonas", "MHT 2318", Role::Technician),
    ("Whitehorse", "Dana", "MHT 2331", Role::Technician),
    ("Novak", "Petra", "MHT 2342", Role::Technician),
    ("Lindqvist", "Sara", "RN 1108", Role::ChargeNurse),
    ("Adeyemi", "Tunde", "RN 1131", Role::Nurse),
    ("Park", "Hana", "RN 1147", Role::Nurse),
    ("Moreau", "Elise", "ADM 0031", Role::Manager),
];

pub const PRESCRIBERS: [&str; 3] = ["Dr N. Haidari", "Dr C. Boateng", "Dr L. Fontaine"];

/// Parts of station passwords: short words that are easy to type and to read out.
pub const PASSWORD_WORDS: [&str; 32] = [
    "amber", "basil", "cedar", "cliff", "coral", "delta", "ember", "fern", "flint", "gravel", "hazel", "heron", "iris",
    "jasper", "kelp", "larch", "lemon", "maple", "meadow", "mint", "otter", "pebble", "plum", "quartz", "reed",
    "river", "sage", "sparrow", "thistle", "tulip", "violet", "walnut",
];
