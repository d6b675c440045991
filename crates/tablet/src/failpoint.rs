//! Steps between which a program may end. A debug build can be told to end at one by name
//! (`FAILPOINTS="pen.copied=return"`, as the crate `fail` reads it); a release program holds none of this.

/// Every one there is. A test ends the program at each and looks what became of it.
pub const NAMES: &[&str] = &[
    "pin.counted",
    "key.locked",
    "key.doubled",
    "renew.begun",
    "renew.records",
    "renew.identity",
    "renew.copy",
    "renew.taken",
    "renew.told",
    "renew.done",
    "gone.confirmed",
    "gone.decided",
    "gone.key-gone",
    "gone.moving",
    "gone.moved",
    "pen.copied",
    "pen.written",
    "pen.committed",
    "copy.begun",
    "copy.named",
    "identity.in-one-file",
    "author.healing-set",
    "author.taken",
    "aside.marked",
    "aside.moved",
    "rebuild.carried-over",
    "rebuild.filled",
    "join.key-kept",
    "join.answered",
    "join.roster-kept",
    "receipt.believed",
    "receipt.kept",
    "page.written",
    "page.committed",
    "offer.answered",
    "offer.forgotten",
    "offer.done",
    "heal.offered",
];

/// Marks a step; nothing at all in a release program.
macro_rules! failpoint {
    ($name:literal) => {
        #[cfg(debug_assertions)]
        $crate::failpoint::reached($name);
    };
}
pub(crate) use failpoint;

/// Reads what the surroundings ask for. Once, at the start of a program.
#[cfg(debug_assertions)]
pub fn set_up() {
    std::mem::forget(fail::FailScenario::setup());
}

/// As a power cut would: nothing is tidied up.
#[cfg(debug_assertions)]
pub(crate) fn reached(name: &str) {
    assert!(NAMES.contains(&name), "{name} stands in the table");
    fail::fail_point!(name, |_| std::process::abort());
}

#[cfg(all(test, debug_assertions))]
mod tests {
    /// What a release program makes of a step: nothing that could be told to end it.
    #[test]
    fn a_step_is_there_in_debug_builds_only() {
        let text = include_str!("failpoint.rs");
        let (_, steps) = text.split_once("macro_rules!").unwrap();
        let (step, _) = steps.split_once("pub(crate) use").unwrap();
        assert!(step.contains("#[cfg(debug_assertions)]\n        $crate::failpoint::reached"));
        failpoint!("pen.copied");
    }

    #[test]
    fn a_step_that_is_in_no_table_is_noticed() {
        assert!(std::panic::catch_unwind(|| super::reached("nowhere")).is_err());
    }
}
