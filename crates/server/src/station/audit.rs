//! The station's part of the audit: reading it, and writing down what was refused without letting a flood fill the disk.

use super::{Person, Station, access};
use crate::http::Refused;
use axum::Json;
use axum::extract::{Extension, State};
use lamplight_domain::ids::StaffId;
use lamplight_domain::kinds::{Act, Audit};
use lamplight_domain::roster::Role;
use lamplight_domain::station::{AuditAsk, AuditPage};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const ONCE_IN: Duration = Duration::from_secs(60);
/// People and addresses that are remembered; a flood from more of them is written down no more than this in a minute.
const MAX: usize = 1_000;

/// Who was refused: somebody who is known, or an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Whom {
    Person(StaffId),
    Address(Option<IpAddr>),
}

/// What was written down of whom within the last minute.
#[derive(Default)]
pub struct OncePerMinute(Mutex<HashMap<(Whom, Act), Instant>>);

impl OncePerMinute {
    fn is_first(&self, whom: Whom, act: Act, now: Instant) -> bool {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        written.retain(|_, at| now.duration_since(*at) < ONCE_IN);
        if written.contains_key(&(whom, act)) || written.len() >= MAX {
            return false;
        }
        written.insert((whom, act), now);
        true
    }

    pub fn of_address(&self, from: IpAddr, act: Act) -> bool {
        self.is_first(Whom::Address(Some(from)), act, Instant::now())
    }
}

impl Station {
    /// Somebody asked for what they may not have: the first time in a minute it is written down.
    pub(super) async fn refused(&self, person: Option<StaffId>, from: Option<IpAddr>, what: &str) {
        let whom = person.map_or(Whom::Address(from), Whom::Person);
        if self.inner.written.is_first(whom, Act::Refused, Instant::now()) {
            let place = from.map(|ip| format!(" from {ip}")).unwrap_or_default();
            let audit = Audit { what: format!("{what}{place}"), ..Audit::of(Act::Refused) };
            self.inner.facility.audit(person, audit).await;
        }
    }
}

/// `AuditAsk` as a browser writes it into an address.
#[derive(serde::Deserialize)]
pub struct Asked {
    from: Option<i64>,
    to: Option<i64>,
    act: Option<Act>,
    staff: Option<StaffId>,
}

/// An administrator reads all of it, a manager what is of their own wards.
pub async fn audit(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    access::Asked(asked): access::Asked<Asked>,
) -> Result<Json<AuditPage>, Refused> {
    let moment = |at: Option<i64>| at.map(lamplight_domain::time::Ms);
    let ask = AuditAsk { from: moment(asked.from), to: moment(asked.to), act: asked.act, staff: asked.staff };
    let wards = (person.staff.role != Role::Administrator).then(|| person.staff.wards.clone());
    Ok(Json(station.inner.facility.audit_page(ask, wards).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_written_down_once_a_minute_and_never_without_end() {
        let (written, now) = (OncePerMinute::default(), Instant::now());
        let from = |n: u32| Whom::Address(Some(IpAddr::from(n.to_be_bytes())));
        assert!(written.is_first(from(1), Act::Refused, now));
        assert!(!written.is_first(from(1), Act::Refused, now + ONCE_IN / 2));
        assert!(written.is_first(from(1), Act::InviteRefused, now), "another act is another line");
        assert!(written.is_first(from(2), Act::Refused, now), "somebody else too");
        assert!(written.is_first(from(1), Act::Refused, now + ONCE_IN));
        let lines = (0..100_000).filter(|n| written.is_first(from(*n), Act::Refused, now + ONCE_IN * 3)).count();
        assert_eq!(lines, MAX);
    }
}
