//! Where the built programs are. Nothing here builds them: a test that starts a compiler hides what it tests.

use std::path::{Path, PathBuf};

/// A built program, beside this one: `target/debug/NAME` for a test in `target/debug/deps`, `target/release/NAME`
/// for a program in `target/release`.
///
/// # Panics
/// Where it has not been built, with what to run.
pub fn path(name: &str) -> PathBuf {
    find(name).unwrap_or_else(|| {
        panic!("{name} is not built beside this program: run `make test`, which builds every program first")
    })
}

/// As [`path`], None where it has not been built.
pub fn find(name: &str) -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    own.ancestors().skip(1).take(2).map(|dir| dir.join(name)).find(|p| p.is_file())
}

/// A program of the machine, looked for along PATH.
pub fn on_machine(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join(name)).find(|p| p.is_file())
}

/// The checkout's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// Says why a test is not run. On the build server (`CI=true`) a
/// missing program is a failure.
pub fn skip(why: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "this test must run here, but {why}");
    eprintln!("SKIPPED: {why}");
}
