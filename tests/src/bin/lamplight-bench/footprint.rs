//! Memory of what runs and sizes of what is shipped.

use crate::table::Measure;
use lamplight_tests::{process, programs};

const MIB: f64 = 1024.0 * 1024.0;

/// Sizes of the release programs beside this one.
pub fn sizes() -> Vec<Measure> {
    let mut rows = Vec::new();
    for name in ["lamplight", "lamplight-server", "lamplight-sim"] {
        let row = match programs::find(name).and_then(|path| path.metadata().ok()) {
            Some(about) => Measure::new(&format!("release size of {name}"), about.len() as f64 / MIB, "MiB"),
            None => Measure::not_taken(&format!("release size of {name}"), "it is not built beside this program"),
        };
        rows.push(if cfg!(debug_assertions) { row.note("a debug build: no release size") } else { row });
    }
    let bundle = programs::find("lamplight").and_then(|app| Some(app.parent()?.join("bundle/deb")));
    let debs = bundle.and_then(|dir| std::fs::read_dir(dir).ok()).into_iter().flatten().flatten();
    for deb in debs.filter(|e| e.path().extension().is_some_and(|x| x == "deb")) {
        let size = deb.metadata().map_or(0, |m| m.len());
        rows.push(Measure::new("release size of the .deb", size as f64 / MIB, "MiB"));
    }
    rows
}

/// Memory of a process and all that it started, in MiB, each shared page counted by its share (PSS).
pub fn memory(pid: u32) -> f64 {
    let mut kib = 0;
    for pid in [vec![pid], process::descendants(pid)].concat() {
        let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let line = rollup.lines().find_map(|l| l.strip_prefix("Pss:"));
        kib += line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0);
    }
    kib as f64 / 1024.0
}
