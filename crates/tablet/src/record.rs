//! Recording: where a tap becomes durable. Body and link are committed together, and "saved" is said after that.

use crate::file::{Broken, bodies, drafts, links, lock};
use crate::identity::Identity;
use crate::tablet::{Inner, Pen, Tablet, next_link};
use crate::words;
use lamplight_domain::chain::{Head, Link, body_hash};
use lamplight_domain::commands::Saved;
use lamplight_domain::ids::{RecordId, StaffId, StayId};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::{Auth, Body, Envelope, Record, Unreadable};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::{Clocks, Ms, SECOND_MS};
use lamplight_domain::ward::may_record;
use uuid::Uuid;

/// How long the undo button stands after a save.
const UNDO_MS: i64 = 10 * SECOND_MS;

/// What is to be written down.
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
            let mut pen = lock(&self.pen);
            let identity = self.identity().ok_or_else(join_first)?;
            let pen = pen.as_mut().ok_or_else(join_first)?;
            self.write_down(pen, &identity, &entry)?
        };
        self.to_send.notify_one();
        self.changed();
        Ok(saved)
    }

    fn write_down(&self, pen: &mut Pen, identity: &Identity, entry: &Entry) -> Result<Saved, Refusal> {
        let clocks = self.clock.read();
        let zone = words::zone(self.roster().as_deref());
        let (body, notice) = match entry.id.and_then(|id| self.saved_before(id).transpose()).transpose()? {
            // The form may say something else by now; what was shown as saved stands.
            Some(first) => return Ok(saved(&first, String::new(), zone)),
            None => self.body(identity, entry, clocks)?,
        };
        let bytes = body.to_bytes().map_err(too_big)?;
        let link = next_link(&pen.head, &bytes);
        let link = match self.commit(&link, &bytes, body.envelope.id) {
            Ok(()) => link,
            Err(Broken::Io(name)) => self.look_up(&link, Broken::Io(name))?,
            Err(Broken::Damaged(name)) => {
                tracing::error!(fault = %name, "the records file is damaged");
                self.rebuild(pen)?;
                self.commit_again(pen, &bytes, body.envelope.id)?
            }
            Err(broken) => {
                tracing::error!(?broken, "an entry could not be saved");
                return Err(broken.not_saved());
            }
        };
        pen.head = Head { author: link.author, seq: link.seq, hash: link.hash() };
        let answer = saved(&body, notice, zone);
        let hash = body_hash(&bytes);
        self.known_mut().records.take(Record { body, hash, author: link.author, seq: link.seq, received_at: None });
        Ok(answer)
    }

    /// The first own body that was saved under this id.
    fn saved_before(&self, id: RecordId) -> Result<Option<Body>, Refusal> {
        let bytes = self.records.look(|from| bodies::own_by_id(from, id))?;
        Ok(bytes.and_then(|b| Body::parse(&b).ok()))
    }

    fn body(&self, identity: &Identity, entry: &Entry, clocks: Clocks) -> Result<(Body, String), Refusal> {
        let now = lock(&self.contact).now(clocks);
        let known = self.known();
        let roster = known.roster.as_deref().ok_or_else(join_first)?;
        let envelope = Envelope {
            v: 1,
            id: entry.id.unwrap_or_else(|| new_id(clocks.wall)),
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

    /// After an I/O error nobody knows whether the commit was kept: open the file again and look.
    fn look_up(&self, link: &Link, broken: Broken) -> Result<Link, Refusal> {
        tracing::error!(?broken, "the disk failed during a save");
        let look = |from: &rusqlite::Connection| links::hash_at(from, link.author, link.seq);
        let kept = self.records.reopen().and_then(|()| self.records.read(look)).map_err(|b| b.not_saved())?;
        if kept == Some(link.hash()) { Ok(*link) } else { Err(broken.not_saved()) }
    }

    fn commit_again(&self, pen: &Pen, bytes: &[u8], id: RecordId) -> Result<Link, Refusal> {
        let link = next_link(&pen.head, bytes);
        self.commit(&link, bytes, id).map_err(|b| b.not_saved())?;
        Ok(link)
    }

    /// Body and link together, and the draft gone: all or nothing.
    fn commit(&self, link: &Link, bytes: &[u8], id: RecordId) -> Result<(), Broken> {
        self.records.write(|to| {
            bodies::insert(to, bytes)?;
            links::insert(to, link)?;
            drafts::saved(to, id)
        })
    }
}

/// UUIDv7: sorts by the wall clock of this machine.
pub(crate) fn new_id(wall: Ms) -> RecordId {
    let ms = u64::try_from(wall.0).unwrap_or(0);
    let time = uuid::Timestamp::from_unix(uuid::NoContext, ms / 1_000, (ms % 1_000) as u32 * 1_000_000);
    RecordId(Uuid::new_v7(time))
}

fn saved(body: &Body, notice: String, zone: chrono_tz::Tz) -> Saved {
    let at = body.envelope.recorded_at;
    Saved {
        record: body.envelope.id,
        recorded_at: at,
        words: format!("Saved on this tablet {}", words::clock_with_seconds(at, zone)),
        notice,
        undo_until: at + UNDO_MS,
    }
}

fn too_big(why: Unreadable) -> Refusal {
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
