//! A memory image of this program holds patients' names and keys in the clear.

use lamplight_domain::refusal::Refusal;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// At the start of a program, for it and all that it starts: no core dump is written, and no other program of this user
/// reads its memory. Errors: "core_dumps.on".
pub fn off() -> Result<(), Refusal> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
        .and_then(|()| set_dumpable_behavior(DumpableBehavior::NotDumpable))
        .map_err(|error| {
            Refusal::new(
                "core_dumps.on",
                format!("This machine does not let Lamplight turn core dumps off: {error}."),
                "Ask your IT: with them, patients' names could be written to the disk.",
            )
        })
}
