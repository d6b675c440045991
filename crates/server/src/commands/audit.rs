//! `audit`: who did what that is no observation, a line of JSON each, oldest first.

use super::open_beside;
use crate::facility::{AuditLine, damaged};
use crate::store;
use lamplight_domain::kinds::Act;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::{Roster, Staff};
use lamplight_domain::station::AuditAsk;
use lamplight_domain::time::Ms;
use std::io::Write;
use std::path::Path;

/// Which lines; every field narrows it.
#[derive(Debug, Default)]
pub struct Wanted {
    pub from: Option<Ms>,
    pub to: Option<Ms>,
    /// "signed_in"
    pub act: Option<String>,
    /// Who did it, or to whom: a staff number, or an id.
    pub staff: Option<String>,
}

/// Gives back how many. Errors: "act.unknown", "staff.unknown", "export.broken_off", and those of opening.
pub fn audit(path: &Path, wanted: &Wanted, out: &mut impl Write) -> Result<u64, Refusal> {
    let db = open_beside(path)?;
    let reading = db.unchecked_transaction().map_err(|e| damaged(path, &e.into()))?;
    let roster = store::roster::newest(&reading).map_err(|e| damaged(path, &e))?;
    let act = wanted.act.as_deref().map(act_named).transpose()?;
    let staff = wanted.staff.as_deref().map(|name| person_named(&roster, name)).transpose()?.map(|p| p.id);
    let ask = AuditAsk { from: wanted.from, to: wanted.to, act, staff };
    let mut lines: Vec<String> = Vec::new();
    let read = AuditLine::read(&reading, &roster, &ask, |line| {
        lines.push(serde_json::to_string(&line).map_err(|e| store::StoreError::Broken(e.to_string()))?);
        Ok(true)
    });
    read.map_err(|e| damaged(path, &e))?;
    let mut write = || -> std::io::Result<()> {
        for line in lines.iter().rev() {
            writeln!(out, "{line}")?;
        }
        out.flush()
    };
    write().map_err(|e| {
        Refusal::new("export.broken_off", format!("The audit broke off ({e})."), "Make room where it goes, try again.")
    })?;
    Ok(lines.len() as u64)
}

fn act_named(name: &str) -> Result<Act, Refusal> {
    let names: Vec<String> = Act::ALL.iter().map(|act| name_of(*act)).collect();
    Act::ALL.into_iter().find(|act| name_of(*act) == name.trim()).ok_or_else(|| {
        let next = format!("Name one of these: {}.", names.join(", "));
        Refusal::new("act.unknown", format!("Nothing in the audit is called {name}."), next)
    })
}

fn name_of(act: Act) -> String {
    serde_json::to_value(act).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn person_named<'a>(roster: &'a Roster, name: &str) -> Result<&'a Staff, Refusal> {
    let name = name.trim();
    let is_meant = |p: &&Staff| p.number.eq_ignore_ascii_case(name) || p.id.to_string() == name;
    roster.staff.iter().find(is_meant).ok_or_else(|| {
        Refusal::new(
            "staff.unknown",
            format!("Nobody on the staff list has the number {name}."),
            "Give a staff number, such as \"RN 1108\", or the id of somebody.",
        )
    })
}
