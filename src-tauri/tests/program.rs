//! The built program, without its window.

use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_lamplight");

#[test]
fn a_folder_that_cannot_be_used_is_refused_by_name_before_any_window() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("not-a-folder");
    std::fs::write(&file, "").unwrap();
    let ended = Command::new(PROGRAM).arg("--data").arg(&file).env("HOME", temp.path()).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("not-a-folder") && said.contains("[disk.failed]"), "{said}");
}

/// WebKit's own calls of the system's SQLite must not end up in the SQLCipher that is linked in.
#[test]
fn the_linked_in_sqlcipher_is_hidden_from_webkit() {
    let names = |how: &[&str]| {
        let listed = Command::new("nm").args(how).arg(PROGRAM).output().expect("nm, from binutils");
        assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
        String::from_utf8(listed.stdout).unwrap()
    };
    assert!(names(&[]).contains(" sqlite3_prepare_v2"), "SQLCipher is not in the program: this test sees nothing");
    let shown = names(&["-D", "--defined-only"]);
    let leaked: Vec<&str> = shown.lines().filter(|l| l.contains("sqlite3_")).collect();
    assert!(leaked.is_empty(), "{leaked:?}");
}
