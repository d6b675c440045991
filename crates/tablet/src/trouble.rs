//! What is wrong with this tablet and has not been mended yet, in plain words; shown on every screen.

use lamplight_domain::kinds::RecordsMissing;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::HOUR_MS;
use std::collections::BTreeMap;

/// Stretches of numbers that a screen names.
const RANGES_TOLD: usize = 5;

/// One a code: the newest words count.
#[derive(Debug, Default)]
pub struct Troubles(BTreeMap<String, Refusal>);

impl Troubles {
    /// True where it was not known in these words.
    pub fn add(&mut self, trouble: Refusal) -> bool {
        self.0.insert(trouble.code.clone(), trouble.clone()) != Some(trouble)
    }
    /// True where it was there.
    pub fn over(&mut self, code: &str) -> bool {
        self.0.remove(code).is_some()
    }
    pub fn has(&self, code: &str) -> bool {
        self.0.contains_key(code)
    }
    pub fn all(&self) -> Vec<Refusal> {
        self.0.values().cloned().collect()
    }
}

pub fn records_set_aside(salvaged: u64, lost_unknown: bool) -> Refusal {
    let what = if lost_unknown {
        format!(
            "This tablet's file was damaged. {salvaged} unsent entries were read from it and kept; others may be missing."
        )
    } else {
        format!("This tablet's file was damaged and a fresh one is in use. {salvaged} unsent entries were kept.")
    };
    Refusal::new(
        "file.set_aside",
        what,
        "Tell the charge nurse; the damaged file is kept for whoever looks after the tablets.",
    )
}

pub fn put_back(count: u64) -> Refusal {
    Refusal::new(
        "file.put_back",
        format!("This tablet's file had lost {count} entries. They were put back from its second copy."),
        "Nothing is missing. Tell whoever looks after the tablets: its disk may be failing.",
    )
}

pub fn identity_set_aside(found_again: bool) -> Refusal {
    if found_again {
        Refusal::new(
            "identity.set_aside",
            "The file with this tablet's sign-ins was damaged; people can sign in again after the next contact with the station.",
            "Bring the tablet where it has network.",
        )
    } else {
        Refusal::new(
            "identity.lost",
            "The file that says who this tablet is was damaged and cannot be read.",
            "Keep the tablet as it is and call whoever looks after the tablets.",
        )
    }
}

pub fn unreadable(count: u64) -> Refusal {
    Refusal::new(
        "records.unreadable",
        format!("{count} records from the station cannot be read by this version."),
        "Ask for an update of Lamplight on this tablet; look at the station's board for the missing entries.",
    )
}

pub fn fork() -> Refusal {
    Refusal::new(
        "sync.fork",
        "The station holds other entries under this tablet's name: it was copied or restored.",
        "Go on recording; entries are sent again under a new name. Tell whoever looks after the tablets.",
    )
}

pub fn went_far_back() -> Refusal {
    Refusal::new(
        "sync.went_far_back",
        "The station was restored from an old backup, to before what this tablet still keeps.",
        "Go on recording; what is kept is sent again under a new name. Tell whoever looks after the server.",
    )
}

/// Which entries nobody holds any more, so that a person can look for an older copy of them.
pub fn missing(listed: &[RecordsMissing]) -> Refusal {
    let count: u64 = listed.iter().map(|one| one.count).sum();
    let ranges = listed.iter().map(|one| {
        let numbers = one.ranges.iter().map(|(first, last)| match first == last {
            true => first.to_string(),
            false => format!("{first} to {last}"),
        });
        let short = numbers.take(RANGES_TOLD).collect::<Vec<_>>().join(", ");
        let more = if one.ranges.len() > RANGES_TOLD { " and more" } else { "" };
        format!("{short}{more} of {}", one.author)
    });
    Refusal::new(
        "sync.missing",
        format!(
            "The station lost {count} entries of this tablet that it had backed up: numbers {}.",
            ranges.collect::<Vec<_>>().join("; ")
        ),
        "Tell whoever looks after the server: they are in the backups made before it was restored.",
    )
}

pub fn newer_file() -> Refusal {
    Refusal::new(
        "file.newer",
        "A newer Lamplight wrote this tablet's files. This one shows and sends what is in them, and records nothing.",
        "Use another tablet or paper until the newer Lamplight is installed again.",
    )
}

pub fn moved(ward: &str) -> Refusal {
    Refusal::new(
        "tablet.moved",
        format!("The station moved this tablet to {ward}. All that was recorded before was sent first."),
        format!("Look at the patients of {ward} from now on; half-made entries are kept for who began them."),
    )
}

pub fn audit_not_written() -> Refusal {
    Refusal::new(
        "audit.not_written",
        "This tablet cannot write down who signed in and who looked at whom.",
        "Go on looking after patients; it is tried again. Tell whoever looks after the tablets.",
    )
}

/// `since`: when the station was heard last.
pub fn sign_in_ends(left_ms: i64, since: Option<&str>) -> Refusal {
    let left = match left_ms / HOUR_MS {
        0 => "less than an hour".to_owned(),
        1 => "an hour".to_owned(),
        hours => format!("{hours} hours"),
    };
    let heard = since.map_or(String::new(), |at| format!(" It heard the station last {at}."));
    Refusal::new(
        "sign_in.ends_soon",
        format!("In {left} nobody can sign in on this tablet any more.{heard}"),
        "Bring it where it has network before then. Whoever is signed in stays in, and help always works.",
    )
}

pub fn access_ends(at: &str) -> Refusal {
    Refusal::new(
        "access.ends_soon",
        format!("Your access ends at {at}."),
        "Hand over before then, or have a charge nurse give access again.",
    )
}

pub fn access_ended(at: &str) -> Refusal {
    Refusal::new(
        "access.ended",
        format!("Your access ended at {at}. What you save is kept and marked."),
        "Finish what you began, hand over, and lock the tablet.",
    )
}

/// The server's code, and the one on the screens.
pub const REVOKED: &str = "tablet.revoked";

pub fn revoked() -> Refusal {
    Refusal::new(
        REVOKED,
        "This tablet was taken out of use. What it records is sent and marked, and it hears nothing from the station.",
        "Use another tablet or paper, and give this one to the charge nurse.",
    )
}

pub fn handed_over(name: &str, confirmed: u64) -> Refusal {
    Refusal::new(
        "tablet.handed_over",
        format!(
            "{name} was taken out of use. The station holds all {confirmed} entries that it wrote, and nothing on this \
             tablet can be read any more but by the facility."
        ),
        "To use it again, make a new invite at the station and join it as a new tablet.",
    )
}

pub fn cannot_let_go(e: &std::io::Error) -> Refusal {
    Refusal::new(
        "disk.failed",
        format!("This tablet was taken out of use, and its folder cannot be put aside: {e}."),
        "Check that the folder may be written and the disk is sound, then start Lamplight again.",
    )
}

pub fn clock(error_ms: i64) -> Refusal {
    let minutes = error_ms.abs() / 60_000;
    let way = if error_ms > 0 { "fast" } else { "slow" };
    Refusal::new(
        "clock.wrong",
        format!("This tablet's clock is {minutes} min {way}. Entries are kept and marked."),
        "Have the clock of this tablet set right.",
    )
}

pub fn no_sound() -> Refusal {
    Refusal::new(
        "sound.none",
        "The alarm cannot be heard on this tablet.",
        "Turn the sound up or watch the board; tell the charge nurse.",
    )
}

pub fn may_sleep() -> Refusal {
    Refusal::new(
        "machine.may_sleep",
        "This machine may fall asleep while patients are on the ward.",
        "Keep it on power and turn off its sleep in the system's settings.",
    )
}

pub fn disk_nearly_full(megabytes: u64) -> Refusal {
    Refusal::new(
        "disk.nearly_full",
        format!("Only {megabytes} MB are left on this tablet's disk."),
        "Tell whoever looks after the tablets before nothing can be saved.",
    )
}
