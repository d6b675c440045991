//! Invites and joining: how a tablet becomes one of the facility's.

use super::change::Changing;
use super::{FacilityServer, trouble};
use crate::store::{self, StoreError, authors, invites};
use crate::surroundings::Surroundings;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use lamplight_domain::chain::{Credential, Endorser, author_of, verify};
use lamplight_domain::ids::{StaffId, TabletId, WardId};
use lamplight_domain::kinds::{Act, Audit, Event};
use lamplight_domain::record::Body;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::{Roster, Tablet};
use lamplight_domain::wire::{Invite, JoinAsk, Joined, Trouble};
use rusqlite::Connection;
use std::sync::{Arc, PoisonError};

use super::identity::Identity;
use crate::tls::Authority;

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
    /// Goes out of use as the new tablet comes under its name.
    pub replaces: Option<TabletId>,
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
    let Inviting { ward, uses: uses_left, replaces, .. } = *inviting;
    let open = invites::Open { ward, uses_left, expires_at, replaces };
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

impl FacilityServer {
    /// One tablet may join with it. What is asked of the roster is asked in the transaction that makes it.
    /// Errors: "tablet.unknown", "tablet.revoked" where what it replaces is no tablet of the ward in use.
    pub async fn invite(
        &self,
        (ward, replaces): (WardId, Option<TabletId>),
        url: String,
        good_for_ms: i64,
        by: StaffId,
    ) -> Result<Invite, Trouble> {
        let (identity, around) = (self.inner.identity.clone(), self.inner.around.clone());
        self.change(Some(by), move |changing| {
            if changing.roster.ward(ward).is_none() {
                return Err(Refusal::new("ward.unknown", "There is no such ward.", "Load the page again.").into());
            }
            let mut audit = Audit { ward: Some(ward), ..Audit::of(Act::InviteMade) };
            if let Some(old) = replaces {
                let tablet = changing.roster.tablets.iter().find(|t| t.id == old && t.ward == ward);
                let unknown = || Refusal::new("tablet.unknown", "The ward has no such tablet.", "Load the page again.");
                let tablet = tablet.ok_or_else(unknown)?;
                if tablet.revoked {
                    return Err(revoked().into());
                }
                (audit.tablet, audit.what) = (Some(old), format!("in place of {}", tablet.name));
            }
            changing.audit(audit)?;
            let inviting = Inviting { ward, url: &url, uses: 1, good_for_ms, by: Some(by), replaces };
            make_invite(changing.db, &identity, &around, &inviting)
        })
        .await
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
        let (tablet, credential) =
            self.change(None, move |changing| joining(changing, &identity, &ask, &around)).await?;
        Ok(Joined {
            credential,
            tablet: tablet.id,
            name: tablet.name,
            ward: tablet.ward,
            facility_key: self.inner.identity.key.public(),
            ca_pem: self.inner.identity.authorities().map(Authority::pem).collect(),
            trust: self.inner.identity.trust(),
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
                    let name = name_for(&mut roster, &name);
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
    changing: &mut Changing<'_>,
    identity: &Identity,
    ask: &JoinAsk,
    around: &Surroundings,
) -> Result<(Tablet, Credential), StoreError> {
    let (db, now) = (changing.db, changing.now);
    let refuse = |code, what| Err(Refusal::new(code, what, "Ask a nurse at the station for a new invite.").into());
    let Some(open) = invites::find(db, &ask.code)? else {
        return refuse("invite.unknown", "The facility server does not know this invite.");
    };
    let credential =
        |tablet| Credential::sign(&identity.key, Endorser::Facility, identity.facility, ask.key, Some(tablet));
    let author = author_of(&ask.key);
    let before = authors::find(db, author)?.and_then(|a| a.tablet);
    let before = before.and_then(|id| changing.roster.tablets.iter().position(|t| t.id == id));
    if before.is_some_and(|at| changing.roster.tablets[at].revoked) {
        return Err(revoked().into());
    }
    // The answer to an earlier try with this very invite was lost: give it again.
    let came_by = invites::came_by(db, author, &ask.code)?;
    if let Some(at) = before.filter(|_| came_by) {
        let tablet = changing.roster.tablets[at].clone();
        let credential = credential(tablet.id);
        return Ok((tablet, credential));
    }
    if open.expires_at <= now {
        return refuse("invite.expired", "This invite has expired.");
    }
    if !invites::use_once(db, &ask.code)? {
        return refuse("invite.used", "This invite has been used up.");
    }
    invites::came(db, author, &ask.code)?;
    let tablet = match before {
        // It never heard the answer to another invite: it is the same tablet, in the ward of this one.
        Some(at) => {
            changing.roster.tablets[at].ward = open.ward;
            changing.roster.tablets[at].clone()
        }
        None => {
            let replaced = open.replaces.map(|old| replace(changing, old)).transpose()?.flatten();
            let wanted = replaced.as_deref().unwrap_or(&ask.name);
            let (id, name) = (TabletId(around.uuid()), name_for(&mut changing.roster, wanted));
            let tablet = Tablet { id, name, ward: open.ward, revoked: false };
            changing.roster.tablets.push(tablet.clone());
            tablet
        }
    };
    let credential = credential(tablet.id);
    if before.is_none() {
        authors::insert(db, &credential, now)?;
    }
    changing.record(tablet.ward, Event::TabletJoined { tablet: tablet.id, name: tablet.name.clone() })?;
    Ok((tablet, credential))
}

/// Takes a tablet out of use as another one comes; its name. None where somebody took it out of use meanwhile: its name
/// may be another one's by then.
fn replace(changing: &mut Changing<'_>, old: TabletId) -> Result<Option<String>, StoreError> {
    let Some(tablet) = changing.roster.tablets.iter_mut().find(|t| t.id == old && !t.revoked) else { return Ok(None) };
    tablet.revoked = true;
    let (ward, name) = (tablet.ward, tablet.name.clone());
    changing.record(ward, Event::TabletRevoked { tablet: old, reason: "replaced by another tablet".into() })?;
    Ok(Some(name))
}

/// The wanted name where it fits and no tablet in use has it, else the next "W-n" that none ever had. One that is out of
/// use gives its name up: what shows that it is the old one is put behind it there.
fn name_for(roster: &mut Roster, wanted: &str) -> String {
    let wanted = wanted.trim();
    let fits = !wanted.is_empty() && wanted.chars().count() <= NAME_MAX_CHARS && !wanted.contains(char::is_control);
    let taken = |name: &str| roster.tablets.iter().any(|t| t.name == name);
    let holder = roster.tablets.iter().position(|t| t.name == wanted);
    if fits && holder.is_none_or(|at| roster.tablets[at].revoked) {
        let former = (1..).map(|n| format!("{wanted} (old {n})")).find(|former| !taken(former));
        if let (Some(at), Some(former)) = (holder, former) {
            roster.tablets[at].name = former;
        }
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
