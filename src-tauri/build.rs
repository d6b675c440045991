//! Puts the page into the program, and tells the ACL of the one command that the page may call.

fn main() {
    // SQLCipher is linked in; WebKit brings the system's SQLite. Were the sqlite3_* symbols of the one visible, calls of
    // the other might bind to them.
    println!("cargo:rustc-link-arg-bins=-Wl,--exclude-libs,ALL");
    let manifest = tauri_build::AppManifest::new().commands(&["call"]);
    if let Err(error) = tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest)) {
        println!("cargo::error={error:#}");
    }
}
