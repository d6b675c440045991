//! Steps between which a program may end. A debug build can be told to end at one by name
//! (`FAILPOINTS="push.committed=return"`, as the crate `fail` reads it); a release program holds none of this.

/// Every one there is. A test ends the program at each and looks what became of it.
pub const NAMES: &[&str] = &[
    "found.begun",
    "found.keyed",
    "found.written",
    "found.made",
    "found.moving",
    "found.stands",
    "open.before-migration",
    "open.migrated",
    "push.before-commit",
    "push.committed",
    "generation.begun",
    "backup.copied",
    "backup.keyed",
    "rekey.kept",
    "rekey.done",
    "rekey.on-record",
    "rekey.named",
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
        failpoint!("push.committed");
    }

    #[test]
    fn a_step_that_is_in_no_table_is_noticed() {
        assert!(std::panic::catch_unwind(|| super::reached("nowhere")).is_err());
    }
}
