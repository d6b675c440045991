//! Memory of what runs and sizes of what is shipped.

use crate::table::Measure;
use lamplight_tests::facility::Facility;
use lamplight_tests::{memory, process, programs};
use serde_json::Value;

const MIB: f64 = 1024.0 * 1024.0;

const TABLET_GOAL_MIB: f64 = 64.0;
const SERVER_GOAL_MIB: f64 = 200.0;

/// The most that a tablet's core and a server ever used, each in a process of its own.
#[derive(Default)]
pub struct Peaks {
    tablet: Option<(f64, String)>,
    server: Option<(f64, String)>,
}

impl Peaks {
    /// What `lamplight-sim` says of itself.
    pub fn tablet(&mut self, during: &str, said: &Value) {
        let mib = said["peak_kib"].as_f64().unwrap_or(0.0) / 1024.0;
        keep(&mut self.tablet, mib, during);
    }

    pub fn server(&mut self, during: &str, facility: &Facility) {
        if let Some(pid) = facility.pid() {
            keep(&mut self.server, memory::peak_kib_of(pid) as f64 / 1024.0, during);
        }
    }

    pub fn rows(self) -> Vec<Measure> {
        let row = |name: &str, peak: Option<(f64, String)>, goal: f64| match peak {
            Some((mib, during)) => Measure::new(name, mib, "MiB")
                .goal(goal)
                .note(format!("most that was ever resident (VmHWM), during {during}")),
            None => Measure::not_taken(name, "no workload was run"),
        };
        vec![
            row("memory of a tablet's core, at most", self.tablet, TABLET_GOAL_MIB),
            row("memory of the server, at most", self.server, SERVER_GOAL_MIB),
        ]
    }
}

fn keep(most: &mut Option<(f64, String)>, mib: f64, during: &str) {
    if most.as_ref().is_none_or(|(known, _)| *known < mib) {
        *most = Some((mib, during.to_owned()));
    }
}

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
