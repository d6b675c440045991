//! Who may give which command: the table is in `domain::commands`, the judgement here. Denied unless allowed.

use lamplight_domain::commands::Access;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::Role;

/// The state that access is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    pub joined: bool,
    /// Role of the person who is signed in; None while locked.
    pub signed_in: Option<Role>,
}

pub const NOT_ALLOWED: &str = "role.not_allowed";

/// Errors: "join.first", "locked", "role.not_allowed".
pub fn may(access: Access, state: State) -> Result<(), Refusal> {
    match (access, state) {
        (Access::Anyone, _) => Ok(()),
        (_, State { joined: false, .. }) => Err(crate::record::join_first()),
        (Access::Locked, _) => Ok(()),
        (Access::Roles(_), State { signed_in: None, .. }) => Err(locked()),
        (Access::Roles(roles), State { signed_in: Some(role), .. }) if roles.contains(&role) => Ok(()),
        (Access::Roles(_), State { signed_in: Some(role), .. }) => Err(Refusal::new(
            NOT_ALLOWED,
            format!("A {} cannot do this.", role.words()),
            "Ask a nurse, or sign in as somebody who may.",
        )),
    }
}

pub fn locked() -> Refusal {
    Refusal::new("locked", "This tablet is locked.", "Sign in with your name and PIN; what you had begun is kept.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use lamplight_domain::commands::Command;

    const ROLES: [Role; 5] = [Role::Technician, Role::Nurse, Role::ChargeNurse, Role::Manager, Role::Administrator];
    /// What works without anybody signed in, before joining and after. Written out: a new command is refused here
    /// until somebody has thought about it.
    const ANYONE: [&str; 3] = ["hello", "join", "set_theme"];
    const LOCKED: [&str; 5] = ["locked", "sign_in", "raise", "status", "silence"];
    const NURSES_ONLY: [&str; 1] = ["verify"];
    const CHARGE_NURSES_ONLY: [&str; 3] = ["people", "let_in", "give_access"];
    /// Everybody who looks after patients. Written out too: no command is anybody's by being forgotten.
    const CARE: [&str; 19] = [
        "lock",
        "touch",
        "board",
        "pad",
        "save",
        "keep_draft",
        "drop_draft",
        "drafts",
        "amend",
        "day",
        "take_up",
        "beds",
        "take_over",
        "start_watch",
        "end_watch",
        "acknowledge_level",
        "acknowledge",
        "end_emergency",
        "claim",
    ];

    #[test]
    fn every_command_in_every_state_by_every_role() {
        for command in Command::ALL {
            let (name, access) = (command.name(), command.access());
            let code = |joined, signed_in| may(access, State { joined, signed_in }).err().map(|r| r.code);
            let (anyone, locked) = (ANYONE.contains(&name), LOCKED.contains(&name));
            let rows = [&ANYONE[..], &LOCKED, &NURSES_ONLY, &CHARGE_NURSES_ONLY, &CARE];
            assert_eq!(rows.iter().filter(|row| row.contains(&name)).count(), 1, "{name} stands in one row");
            assert_eq!(code(false, None).as_deref(), (!anyone).then_some("join.first"), "{name} before joining");
            assert_eq!(code(true, None).as_deref(), (!anyone && !locked).then_some("locked"), "{name} while locked");
            for role in ROLES {
                let care = !matches!(role, Role::Manager | Role::Administrator);
                let nurse = matches!(role, Role::Nurse | Role::ChargeNurse);
                let by_role = match name {
                    name if NURSES_ONLY.contains(&name) => nurse,
                    name if CHARGE_NURSES_ONLY.contains(&name) => role == Role::ChargeNurse,
                    _ => care,
                };
                let allowed = anyone || locked || by_role;
                let expected = (!allowed).then_some("role.not_allowed");
                assert_eq!(code(true, Some(role)).as_deref(), expected, "{name} by a {}", role.words());
            }
        }
    }
}
