//! Invites and joining: how a tablet becomes one of the facility's.

use super::own::Own;
use super::{FacilityServer, trouble};
use crate::store::{self, StoreError, authors, invites};
use crate::surroundings::Surroundings;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use lamplight_domain::chain::{Credential, Endorser, author_of, verify};
use lamplight_domain::ids::{StaffId, TabletId, WardId};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::Body;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::{Roster, Tablet};
use lamplight_domain::time::Ms;
use lamplight_domain::wire::{Invite, JoinAsk, Joined, Trouble};
use rusqlite::Connection;
use std::sync::{Arc, PoisonError};

use super::identity::Identity;

/// Records of a tablet that are asked for its ward; the first may be unreadable.
const FIRST_RECORDS: u32 = 20;
/// Longest name of a tablet.
const NAME_MAX_CHARS: usize = 24;

/// Who may join where, for how long, and whom the tablet will call.
pub struct Inviting<'a> {
    pub ward: WardId,
    /// "https://10.0.4.7:7443"
    pub url: &'a str,
    pub uses: u32,
    pub good_for_ms: i64,
    pub by: Option<StaffId>,
}

/// Writes an invite down and gives it out. For any process that has the file open.
pub fn make_invite(
    db: &Connection,
    identity: &Identity,
    around: &Surroundings,
    inviting: &Inviting<'_>,
) -> Result<Invite, StoreError> {
    let code = URL_SAFE_NO_PAD.encode(around.bytes::<18>());
    let expires_at = around.now() + inviting.good_for_ms;
    let open = invites::Open { ward: inviting.ward, uses_left: inviting.uses, expires_at };
    invites::insert(db, &code, &open, around.now(), inviting.by)?;
    Ok(Invite {
        facility: identity.facility,
        url: inviting.url.trim_end_matches('/').to_owned(),
        code,
        ca_der: identity.authority.der.clone(),
        facility_key: identity.key.public(),
        expires_at,
    })
}

/// What a joining came to, inside the transaction.
enum Joining {
    Refused(Refusal),
    /// A roster where the tablet is new to it.
    Taken {
        tablet: Tablet,
        credential: Credential,
        roster: Option<Box<Roster>>,
    },
}

impl FacilityServer {
    pub async fn invite(&self, ward: WardId, url: String, good_for_ms: i64, by: StaffId) -> Result<Invite, Trouble> {
        let (identity, around) = (self.inner.identity.clone(), self.inner.around.clone());
        let work = move |db: &Connection| {
            make_invite(db, &identity, &around, &Inviting { ward, url: &url, uses: 1, good_for_ms, by: Some(by) })
        };
        self.inner.writer.write(work, |_| {}).await.map_err(trouble)
    }

    /// Repeating it with the same key gives the same answer and uses nothing up.
    pub(super) async fn take_join(&self, ask: JoinAsk) -> Result<Joined, Trouble> {
        if !verify(&ask.key, &JoinAsk::message(&ask.code), &ask.proof) {
            return Err(Refusal::new(
                "join.proof",
                "The tablet did not show that it holds its key.",
                "Start joining again on the tablet.",
            )
            .into());
        }
        let (identity, around) = (self.inner.identity.clone(), self.inner.around.clone());
        let inner = self.inner.clone();
        let joining = self
            .inner
            .writer
            .write(
                move |db| joining(db, &identity, &ask, around.now(), &around),
                move |done| {
                    if let Joining::Taken { roster: Some(roster), .. } = done {
                        *inner.roster.write().unwrap_or_else(PoisonError::into_inner) = Arc::new((**roster).clone());
                        inner.live.bump_all();
                    }
                },
            )
            .await
            .map_err(trouble)?;
        let (tablet, credential, new) = match joining {
            Joining::Refused(refusal) => return Err(refusal.into()),
            Joining::Taken { tablet, credential, roster } => (tablet, credential, roster.is_some()),
        };
        if new {
            let event = Event::TabletJoined { tablet: tablet.id, name: tablet.name.clone() };
            self.record(Own { ward: tablet.ward, stay: None, by: None, event }).await?;
        }
        Ok(Joined {
            credential,
            tablet: tablet.id,
            name: tablet.name,
            ward: tablet.ward,
            facility_key: self.inner.identity.key.public(),
            ca_pem: vec![self.inner.identity.authority.pem()],
            roster: for_ward(&self.roster(), tablet.ward),
        })
    }

    /// A tablet with a good credential that the roster lost (the server was restored to a time before its joining)
    /// is let in again under its own name, in the ward that its first records are of; where none is held, in the ward
    /// that it asks for. Gives back its ward.
    pub(super) async fn readmit(&self, tablet: TabletId, asked: WardId, name: &str) -> Result<WardId, Trouble> {
        let (around, inner, name) = (self.inner.around.clone(), self.inner.clone(), name.to_owned());
        let readmitted = self
            .inner
            .writer
            .write(
                move |db| {
                    let mut roster = store::roster::newest(db)?;
                    if let Some(known) = roster.tablets.iter().find(|t| t.id == tablet) {
                        let ward = known.ward;
                        return Ok((roster, ward));
                    }
                    let of_records = store::links::first_bodies(db, tablet, FIRST_RECORDS)?;
                    let said = of_records.iter().filter_map(|bytes| Some(Body::parse(bytes).ok()?.envelope.ward));
                    let ward = said.into_iter().find(|w| roster.ward(*w).is_some()).unwrap_or(asked);
                    let name = free_name(&roster, &name);
                    roster.tablets.push(Tablet { id: tablet, name, ward, revoked: false });
                    roster.version += 1;
                    store::roster::put(db, &roster, around.now(), None)?;
                    Ok((roster, ward))
                },
                move |(roster, _)| {
                    *inner.roster.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(roster.clone());
                    inner.live.bump_all();
                },
            )
            .await
            .map_err(trouble)?;
        tracing::warn!(%tablet, "a tablet that the roster did not know was let in again by its credential");
        Ok(readmitted.1)
    }
}

pub(super) fn revoked() -> Refusal {
    Refusal::new(
        "tablet.revoked",
        "This tablet was taken out of use.",
        "Its records can still be sent. Give it to the charge nurse.",
    )
}

fn joining(
    db: &Connection,
    identity: &Identity,
    ask: &JoinAsk,
    now: Ms,
    around: &Surroundings,
) -> Result<Joining, StoreError> {
    let refuse = |code, what, next| Ok(Joining::Refused(Refusal::new(code, what, next)));
    let fresh = "Ask a nurse at the station for a new invite.";
    let Some(open) = invites::find(db, &ask.code)? else {
        return refuse("invite.unknown", "The facility server does not know this invite.", fresh);
    };
    let mut roster = store::roster::newest(db)?;
    let credential =
        |tablet| Credential::sign(&identity.key, Endorser::Facility, identity.facility, ask.key, Some(tablet));
    let author = author_of(&ask.key);
    let before = authors::find(db, author)?.and_then(|a| a.tablet);
    let before = before.and_then(|id| roster.tablets.iter().position(|t| t.id == id));
    if before.is_some_and(|at| roster.tablets[at].revoked) {
        return Ok(Joining::Refused(revoked()));
    }
    // The answer to an earlier try with this very invite was lost: give it again.
    let came_by = invites::came_by(db, author, &ask.code)?;
    if let Some(at) = before.filter(|_| came_by) {
        let tablet = roster.tablets[at].clone();
        return Ok(Joining::Taken { credential: credential(tablet.id), tablet, roster: None });
    }
    if open.expires_at <= now {
        return refuse("invite.expired", "This invite has expired.", fresh);
    }
    if !invites::use_once(db, &ask.code)? {
        return refuse("invite.used", "This invite has been used up.", fresh);
    }
    invites::came(db, author, &ask.code)?;
    let tablet = match before {
        // It never heard the answer to another invite: it is the same tablet, in the ward of this one.
        Some(at) => {
            roster.tablets[at].ward = open.ward;
            roster.tablets[at].clone()
        }
        None => {
            let (id, name) = (TabletId(around.uuid()), free_name(&roster, &ask.name));
            let tablet = Tablet { id, name, ward: open.ward, revoked: false };
            roster.tablets.push(tablet.clone());
            tablet
        }
    };
    roster.version += 1;
    store::roster::put(db, &roster, now, None)?;
    let credential = credential(tablet.id);
    if before.is_none() {
        authors::insert(db, &credential, now)?;
    }
    Ok(Joining::Taken { tablet, credential, roster: Some(Box::new(roster)) })
}

/// The wanted name where it is free and fits, else the next free "W-n".
fn free_name(roster: &Roster, wanted: &str) -> String {
    let wanted = wanted.trim();
    let taken = |name: &str| roster.tablets.iter().any(|t| t.name == name);
    let fits = !wanted.is_empty() && wanted.chars().count() <= NAME_MAX_CHARS && !wanted.contains(char::is_control);
    if fits && !taken(wanted) {
        return wanted.to_owned();
    }
    (1..).map(|n| format!("W-{n}")).find(|name| !taken(name)).unwrap_or_default()
}

/// What a tablet of that ward is given: PINs of its own people only.
pub(super) fn for_ward(roster: &Roster, ward: WardId) -> Roster {
    let mut given = roster.clone();
    for person in &mut given.staff {
        if !person.wards.contains(&ward) {
            person.pin = None;
        }
    }
    given
}
