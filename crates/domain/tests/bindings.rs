//! The TypeScript types of every command and view are generated from Rust and committed; this fails when they are
//! stale. `make bindings` (UPDATE_BINDINGS=1) writes them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

use lamplight_domain::{commands, ids, station, views};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use ts_rs::{Config, TS};

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/shared/bindings")
}

fn generate(into: &Path) {
    let cfg = Config::new().with_large_int("number").with_out_dir(into);
    macro_rules! export {
        ($($t:ty),* $(,)?) => { $(<$t as TS>::export_all(&cfg).unwrap();)* };
    }
    export!(
        commands::Nothing,
        commands::Hello,
        commands::Join,
        commands::SignIn,
        commands::Session,
        commands::SetTheme,
        commands::OfStay,
        commands::OfRecord,
        commands::OfDay,
        commands::Pad,
        commands::Entry,
        commands::Save,
        commands::Saved,
        commands::Draft,
        commands::KeptDraft,
        commands::DropDraft,
        commands::Amend,
        commands::TakeUp,
        commands::TakenUp,
        commands::BedChoice,
        commands::TakeOver,
        commands::Raise,
        commands::Raised,
        commands::Acknowledge,
        commands::EndEmergency,
        commands::OfPerson,
        commands::GiveAccess,
        commands::People,
        commands::Status,
        views::Board,
        views::Locked,
        views::PatientDay,
        ids::FacilityId,
        ids::TabletId,
        station::LogIn,
        station::StationSession,
        station::StationAcknowledge,
        station::WardBeds,
        station::StationPlace,
        station::StationJoin,
        station::StationPart,
        station::StationDone,
        station::OfWard,
        station::Door,
        station::SetUp,
        station::Facility,
        station::SaveWard,
        station::SaveStaff,
        station::OfStaff,
        station::SetLogin,
        station::SecretMade,
        station::ChangePassword,
        station::FactorBegun,
        station::FactorCode,
        station::SaveLists,
        station::MoveTablet,
        station::RevokeTablet,
        station::MakeInvite,
        station::AuditAsk,
        station::AuditPage,
        station::StationAdmit,
        station::StationOrder,
        station::StationPrecautions,
        station::StationPause,
        station::StationBack,
        station::StationDischarge,
        station::PatientChoices,
        station::InviteMade,
    );
    let table = commands::typescript();
    let names = |file: &str| -> Vec<String> {
        let text = std::fs::read_to_string(into.join(file)).unwrap();
        text.lines()
            .filter_map(|l| l.strip_prefix("export type "))
            .filter_map(|l| l.split([' ', '=']).next())
            .map(str::to_owned)
            .collect()
    };
    let imports: String = ["commands", "views"]
        .iter()
        .map(|file| {
            let used: Vec<String> = names(&format!("{file}.ts"))
                .into_iter()
                .filter(|n| table.split(|c: char| !c.is_alphanumeric()).any(|word| word == n))
                .collect();
            format!("import type {{ {} }} from \"./{file}\";\n", used.join(", "))
        })
        .collect();
    std::fs::write(
        into.join("table.ts"),
        format!("// Generated from crates/domain/src/commands.rs. Do not edit.\n{imports}\n{table}"),
    )
    .unwrap();
}

fn files(dir: &Path) -> BTreeMap<String, String> {
    std::fs::read_dir(dir)
        .map(|entries| {
            entries
                .filter_map(Result::ok)
                .map(|e| (e.file_name().to_string_lossy().into_owned(), std::fs::read_to_string(e.path()).unwrap()))
                .collect()
        })
        .unwrap_or_default()
}

#[test]
fn typescript_types_are_those_of_the_rust_code() {
    let fresh = std::env::temp_dir().join(format!("lamplight-bindings-{}", std::process::id()));
    std::fs::create_dir_all(&fresh).unwrap();
    generate(&fresh);
    let made = files(&fresh);
    std::fs::remove_dir_all(&fresh).unwrap();
    if std::env::var_os("UPDATE_BINDINGS").is_some() {
        std::fs::create_dir_all(committed()).unwrap();
        for (name, text) in &made {
            std::fs::write(committed().join(name), text).unwrap();
        }
    }
    let held = files(&committed());
    assert!(made.contains_key("table.ts") && made.len() > 5, "nothing was generated");
    for (name, text) in &made {
        assert!(held.get(name) == Some(text), "ui/src/shared/bindings/{name} is stale: run `make bindings`");
    }
    for name in held.keys() {
        assert!(made.contains_key(name), "ui/src/shared/bindings/{name} is no longer generated: delete it");
    }
}
