//! The station's pages are built by npm into `ui/dist`. A server built before them says so instead of failing to
//! compile: the folder only has to be there.

fn main() {
    println!("cargo::rerun-if-changed=../../ui/dist");
    let _ = std::fs::create_dir_all("../../ui/dist");
}
