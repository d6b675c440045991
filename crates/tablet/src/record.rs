//! Recording: what a tap becomes. Body and link are written down by the pen, and "saved" is said after that.

use crate::file::{bodies, drafts, lock, pruning};
use crate::identity::Identity;
use crate::pen::Pen;
use crate::tablet::{Inner, Tablet};
use crate::words;
use lamplight_domain::chain::body_hash;
use lamplight_domain::commands::Saved;
use lamplight_domain::ids::{RecordId, StaffId, StayId};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::{Auth, Body, Envelope, Record, Unreadable};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::{Clocks, Ms, SECOND_MS};
use lamplight_domain::ward::may_record;

/// A save that failed and is tried again within this is still what was seen now; after it nobody knows without looking.
pub(crate) const TRY_AGAIN_MS: i64 = 30 * SECOND_MS;
/// How long the undo button stands after a save.
const UNDO_MS: i64 = 10 * SECOND_MS;

/// What is to be written down.
#[derive(Clone)]
pub(crate) struct Entry {
    pub by: Option<StaffId>,
    pub auth: Auth,
    pub stay: Option<StayId>,
    /// The draft's id; a new one where there was no draft.
    pub id: Option<RecordId>,
    pub event: Event,
    /// Only for a late entry.
    pub observed_at: Option<Ms>,
}

impl Tablet {
    /// Writes an entry down, durably: it returns after the commit. An id that was saved before is not saved again;
    /// the first save is the answer. Blocks for one commit, whatever the network does.
    ///
    /// Errors: those of [`may_record`], "join.first", "entry.too_big", "disk.full", "disk.failed", "file.damaged".
    /// After any of them the entry is not saved.
    pub fn record(
        &self,
        by: impl Into<Option<StaffId>>,
        auth: Auth,
        stay: Option<StayId>,
        id: Option<RecordId>,
        event: Event,
        observed_at: Option<Ms>,
    ) -> Result<Saved, Refusal> {
        self.0.record(Entry { by: by.into(), auth, stay, id, event, observed_at })
    }
}

impl Inner {
    pub fn record(&self, entry: Entry) -> Result<Saved, Refusal> {
        let saved = {
            let mut hand = lock(&self.pen);
            let identity = self.identity().ok_or_else(join_first)?;
            self.write_down(&mut hand, &identity, &entry)?
        };
        self.to_send.notify_one();
        self.changed();
        Ok(saved)
    }

    fn write_down(&self, hand: &mut Option<Pen>, identity: &Identity, entry: &Entry) -> Result<Saved, Refusal> {
        let clocks = self.clock.read();
        let zone = words::zone(self.roster().as_deref());
        let (body, notice) = match entry.id.and_then(|id| self.saved_before(id).transpose()).transpose()? {
            Some(first) => return saved_already(&first, entry, zone),
            None => self.body(identity, entry, clocks)?,
        };
        let bytes = body.to_bytes().map_err(too_big)?;
        let (id, hash) = (body.envelope.id, body_hash(&bytes));
        self.append(hand, std::slice::from_ref(&bytes), |to| drafts::saved(to, id))?;
        let answer = saved(&body, notice, zone);
        if let Some(Pen { head, .. }) = hand {
            let (author, seq) = (head.author, head.seq);
            self.known_mut().records.take(Record { body, hash, author, seq, received_at: None });
        }
        Ok(answer)
    }

    /// The first own body that was saved under this id. Errors: "entry.saved_before" where it is pruned.
    fn saved_before(&self, id: RecordId) -> Result<Option<Body>, Refusal> {
        let (bytes, is_pruned) =
            self.records.look(|from| Ok((bodies::own_by_id(from, id)?, pruning::was_own(from, id)?)))?;
        if bytes.is_none() && is_pruned {
            return Err(Refusal::new(
                "entry.saved_before",
                "An entry begun here was saved more than a month ago already.",
                "Close this form and make what you see now as a new entry.",
            ));
        }
        Ok(bytes.and_then(|b| Body::parse(&b).ok()))
    }

    /// What would be written down, and the notice to show with it. Errors: those of [`may_record`].
    pub fn body(&self, identity: &Identity, entry: &Entry, clocks: Clocks) -> Result<(Body, String), Refusal> {
        let now = lock(&self.contact).now(clocks);
        let known = self.known();
        let roster = known.roster.as_deref().ok_or_else(join_first)?;
        let envelope = Envelope {
            v: 1,
            id: entry.id.map_or_else(|| self.new_id(clocks.wall), Ok)?,
            kind: String::new(),
            kind_v: Body::KIND_V,
            facility: identity.facility,
            ward: identity.ward,
            stay: entry.stay,
            by: entry.by,
            auth: entry.auth,
            tablet: Some(identity.tablet),
            // The wall clock as it is, right or wrong: a wrong clock is marked by measurements, never rewritten.
            observed_at: entry.observed_at.unwrap_or(clocks.wall),
            recorded_at: clocks.wall,
            boot_id: Some(clocks.boot_id),
            boot_ms: Some(clocks.boot_ms),
            order: entry.stay.and_then(|stay| known.records.order_in_force(stay)),
            list_v: Some(roster.lists.version),
        };
        let body = Body::new(envelope, entry.event.clone());
        let notice = may_record(&known.records, roster, &body.envelope, &entry.event, now)?;
        Ok((body, notice))
    }

    /// UUIDv7: sorts by the wall clock of this machine. Errors: "random.failed".
    pub fn new_id(&self, wall: Ms) -> Result<RecordId, Refusal> {
        let mut random = [0; 10];
        (self.chance)(&mut random)?;
        let ms = u64::try_from(wall.0).unwrap_or(0);
        Ok(RecordId(uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid()))
    }
}

fn saved(body: &Body, notice: String, zone: chrono_tz::Tz) -> Saved {
    let at = body.envelope.recorded_at;
    Saved {
        record: body.envelope.id,
        recorded_at: at,
        words: words::saved(body.event.as_ref(), at, zone),
        notice,
        undo_until: at + UNDO_MS,
    }
}

/// What was shown as saved under this id stands, and is the answer to whoever asks for the same again.
/// Errors: "entry.other": something else is asked for, which the first save must not swallow.
fn saved_already(first: &Body, entry: &Entry, zone: chrono_tz::Tz) -> Result<Saved, Refusal> {
    let at = &first.envelope;
    let is_same = at.stay == entry.stay
        && at.by == entry.by
        && first.event.as_ref() == Some(&entry.event)
        // A try that comes late names the moment of the tap, which the first one wrote down a little later.
        && entry.observed_at.is_none_or(|asked| (asked - at.observed_at).abs() <= TRY_AGAIN_MS);
    if is_same {
        return Ok(saved(first, String::new(), zone));
    }
    Err(Refusal::new(
        "entry.other",
        format!(
            "NOT saved: an entry begun here was saved {} already, with other words.",
            words::clock_with_seconds(at.recorded_at, zone)
        ),
        "Close this form and look at the patient's day; make what is missing as a new entry.",
    ))
}

pub(crate) fn too_big(why: Unreadable) -> Refusal {
    match why {
        Unreadable::TooBig(_) => Refusal::new(
            "entry.too_big",
            "NOT saved: this entry is longer than one entry can be.",
            "Shorten the text, or split it into two entries.",
        ),
        Unreadable::NotARecord { .. } => Refusal::new(
            "arguments.wrong",
            "This screen and the program behind it do not fit together.",
            "Close Lamplight and open it again.",
        ),
    }
}

pub(crate) fn join_first() -> Refusal {
    Refusal::new(
        "join.first",
        "This tablet belongs to no facility yet.",
        "Scan or type the invite that the nursing station shows.",
    )
}

/// `ward::day` and friends want a roster; a joined tablet has one.
pub(crate) fn no_roster() -> Refusal {
    Refusal::new(
        "roster.missing",
        "This tablet does not know its ward yet.",
        "Bring it where it has network and wait for the first contact with the station.",
    )
}
