//! What can be recorded: one variant of [`Event`] a kind. A new kind is a new variant here, its meaning in
//! [`crate::ward`], and nothing in storage or sync.

use crate::ids::{AuthorId, PatientId, RecordId, StaffId, StayId, TabletId, WardId};
use crate::level::Level;
use crate::time::Ms;
use crate::views::SignalLevel;
use crate::wire::GivenPin;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// An entry of a facility's list ("day_room"), meaningful with the list version of its record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(transparent)]
#[ts(type = "string", export_to = "kinds.ts")]
pub struct Code(pub String);

impl From<&str> for Code {
    fn from(text: &str) -> Code {
        Code(text.to_owned())
    }
}

/// What a record says. Stored as `kind` and `data` of the body; version 1 of every kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum Event {
    // --- the census: written at the station or fed by the hospital ---
    #[serde(rename = "stay.opened")]
    StayOpened(StayOpened),
    /// A patient whom the census of the tablet does not have: what is known of them, until the station joins this stay
    /// to the real one.
    #[serde(rename = "stay.provisional")]
    StayProvisional(StayProvisional),
    /// In this bed of the envelope's ward from now on. Another ward than before is a transfer.
    #[serde(rename = "stay.placed")]
    StayPlaced {
        bed: String,
        /// At a transfer the ward that the patient left, as its writer knew it: two that left the same ward disagree.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<WardId>,
    },
    #[serde(rename = "stay.closed")]
    StayClosed { reason: String },
    /// The envelope's stay and this one are one: its entries are read as this one's. They never move.
    #[serde(rename = "stay.joined")]
    StayJoined { into: StayId },
    /// Two patients are one person.
    #[serde(rename = "patient.merged")]
    PatientMerged(PatientMerged),
    /// Takes a `stay.joined` or a `patient.merged` back: as if it had never been.
    #[serde(rename = "join.ended")]
    JoinEnded { of: RecordId, reason: String },
    /// All precautions that hold from now on (the whole list, not a difference).
    #[serde(rename = "precautions")]
    Precautions { codes: Vec<Code> },

    // --- observation levels ---
    #[serde(rename = "order")]
    Order(Order),
    #[serde(rename = "order.ended")]
    OrderEnded { of: RecordId, reason: String },
    /// A technician has seen that the level was raised.
    #[serde(rename = "order.acknowledged")]
    OrderAcknowledged { of: RecordId },
    #[serde(rename = "pause.started")]
    PauseStarted(Pause),
    #[serde(rename = "pause.ended")]
    PauseEnded { of: RecordId },
    /// `watcher` is with a patient on a continuous level from now on.
    #[serde(rename = "watch.started")]
    WatchStarted { watcher: StaffId },
    #[serde(rename = "watch.ended")]
    WatchEnded { of: RecordId },

    // --- who holds the observations: `by` of the body, who accepted them ---
    #[serde(rename = "holding.taken")]
    HoldingTaken { census_count: u16 },
    /// A nurse has looked at the ward's observations and stands for them.
    #[serde(rename = "verified")]
    Verified { note: String },

    // --- observations ---
    /// The patient was **seen**. The only kind that closes a gap.
    #[serde(rename = "check")]
    Check(Check),
    /// Heard behind a door, not seen: no check.
    #[serde(rename = "heard")]
    Heard { place: Code },
    /// Looked, but could not tell (breathing not seen, face covered): no check.
    #[serde(rename = "cant_tell")]
    CantTell { place: Code },
    #[serde(rename = "not_done")]
    NotDone { reason: Code, words: String },
    #[serde(rename = "mood")]
    Mood(Mood),
    #[serde(rename = "behaviour")]
    Behaviour(Behaviour),
    #[serde(rename = "note")]
    Note { words: String },
    /// Something a nurse must know. On top until acknowledged.
    #[serde(rename = "concern")]
    Concern { words: String },
    #[serde(rename = "emergency")]
    Emergency { what: EmergencyKind, place: String },
    /// A named person has taken notice of a concern or emergency: `by` of the body, or `came` where the tablet's
    /// holder says who came.
    #[serde(rename = "acknowledged")]
    Acknowledged { of: RecordId, came: Option<StaffId> },
    #[serde(rename = "emergency.ended")]
    EmergencyEnded { of: RecordId, words: String },
    #[serde(rename = "amendment")]
    Amendment(Amendment),

    // --- the ward's signal and the machines ---
    /// The ward's signal was silenced for two minutes: on the tablet that wrote it, or at the ward's station. Colours
    /// stay.
    #[serde(rename = "silenced")]
    Silenced {
        /// How urgent the signal was; a more urgent one sounds again. None from a tablet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        level: Option<SignalLevel>,
    },
    #[serde(rename = "clock.measured")]
    ClockMeasured(ClockMeasured),
    #[serde(rename = "tablet.joined")]
    TabletJoined { tablet: TabletId, name: String },
    #[serde(rename = "tablet.revoked")]
    TabletRevoked { tablet: TabletId, reason: String },
    /// Written into the feeds of both wards.
    #[serde(rename = "tablet.moved")]
    TabletMoved { tablet: TabletId, from: WardId, to: WardId },
    /// Who did what with people, tablets, settings, or looked at whom: see [`Audit`].
    #[serde(rename = "audit")]
    Audit(Audit),
    /// A charge nurse lets somebody who is not on the staff list work on this tablet for some hours.
    #[serde(rename = "access.given")]
    AccessGiven(AccessGiven),
    /// An emergency that nobody had signed was raised by `by` of this body: they say so afterwards.
    #[serde(rename = "claimed")]
    Claimed { of: RecordId },
    /// A server was restored to before what this tablet still keeps: these links of one of its authors are held by
    /// nobody that it knows.
    #[serde(rename = "records.missing")]
    RecordsMissing(RecordsMissing),
}

/// What somebody did that is no observation. Its envelope names the facility itself ([`WardId::FACILITY`]) and no stay, so
/// that it stands in the facility's own feed: no tablet is sent it, and no board rests on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    pub act: Act,
    /// Whom it was done to, where that is a member of staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff: Option<StaffId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tablet: Option<TabletId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ward: Option<WardId>,
    /// Whose data were looked at, exported or printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stay: Option<StayId>,
    /// In plain words, such as "role: technician to nurse". Never a patient's name, a PIN or a key.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub what: String,
}

impl Audit {
    pub fn of(act: Act) -> Audit {
        Audit { act, staff: None, tablet: None, ward: None, stay: None, what: String::new() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "kinds.ts")]
pub enum Act {
    /// The facility was set up.
    SetUp,
    SignedIn,
    /// A wrong PIN, password or code.
    SignInFailed,
    SignedOut,
    /// So many wrong PINs that a charge nurse has to let the person in again.
    LockedOut,
    LockLifted,
    /// A patient's data were looked at.
    Viewed,
    Exported,
    Printed,
    StaffAdded,
    StaffChanged,
    /// May not sign in any more.
    StaffRevoked,
    PinSet,
    PasswordSet,
    /// The second factor of a log-in was set up or taken away.
    FactorSet,
    WardChanged,
    ListsChanged,
    SettingsChanged,
    InviteMade,
    InviteRefused,
    /// Something was asked for by somebody who may not have it.
    Refused,
    /// A key or a certificate was replaced.
    KeyRotated,
    /// A tablet's files were opened with the facility's key.
    Recovered,
    BackedUp,
    /// What the records of kind `tablet.joined`, `tablet.moved`, `tablet.revoked` and `access.given` say, where they are
    /// read beside the audit. Never written as audit.
    TabletJoined,
    TabletMoved,
    TabletRevoked,
    AccessGiven,
    /// Something that a newer program knows. Never written.
    #[serde(other)]
    Unknown,
}

impl Act {
    pub const ALL: [Act; 29] = [
        Act::SetUp,
        Act::SignedIn,
        Act::SignInFailed,
        Act::SignedOut,
        Act::LockedOut,
        Act::LockLifted,
        Act::Viewed,
        Act::Exported,
        Act::Printed,
        Act::StaffAdded,
        Act::StaffChanged,
        Act::StaffRevoked,
        Act::PinSet,
        Act::PasswordSet,
        Act::FactorSet,
        Act::WardChanged,
        Act::ListsChanged,
        Act::SettingsChanged,
        Act::InviteMade,
        Act::InviteRefused,
        Act::Refused,
        Act::KeyRotated,
        Act::Recovered,
        Act::BackedUp,
        Act::TabletJoined,
        Act::TabletMoved,
        Act::TabletRevoked,
        Act::AccessGiven,
        Act::Unknown,
    ];

    pub fn words(self) -> &'static str {
        match self {
            Act::SetUp => "set the facility up",
            Act::SignedIn => "signed in",
            Act::SignInFailed => "failed to sign in",
            Act::SignedOut => "signed out",
            Act::LockedOut => "was locked out",
            Act::LockLifted => "let somebody in again",
            Act::Viewed => "looked at a patient",
            Act::Exported => "exported",
            Act::Printed => "printed",
            Act::StaffAdded => "added staff",
            Act::StaffChanged => "changed staff",
            Act::StaffRevoked => "took staff off the list",
            Act::PinSet => "set a PIN",
            Act::PasswordSet => "set a password",
            Act::FactorSet => "set a second factor",
            Act::WardChanged => "changed a ward",
            Act::ListsChanged => "changed the lists",
            Act::SettingsChanged => "changed the settings",
            Act::InviteMade => "made an invite",
            Act::InviteRefused => "was refused with an invite",
            Act::Refused => "was refused",
            Act::KeyRotated => "replaced a key",
            Act::Recovered => "recovered a tablet's files",
            Act::BackedUp => "made a backup",
            Act::TabletJoined => "let a tablet join",
            Act::TabletMoved => "moved a tablet to another ward",
            Act::TabletRevoked => "took a tablet out of use",
            Act::AccessGiven => "gave somebody access for a time",
            Act::Unknown => "did something that this version does not know",
        }
    }
}

/// Somebody from an agency, or from another house, for a shift: known to this tablet at once, without a network, and to
/// everybody else by this record. What they write after `until` is kept and flagged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessGiven {
    pub staff: StaffId,
    pub family: String,
    pub given: String,
    /// Where they come from and how they are known there: "Agency Northstaff 118".
    pub number: String,
    pub until: Ms,
    /// The PIN that they chose, for the facility alone; None where the tablet did not know what to seal it to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<GivenPin>,
}

/// Links of one author whose bodies neither the tablet that wrote them nor the server holds any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordsMissing {
    pub author: AuthorId,
    pub count: u64,
    /// First and last number of each stretch, in order. Past [`RecordsMissing::RANGES_MAX`] the last one reaches to the
    /// last number that is missing.
    pub ranges: Vec<(u64, u64)>,
}

impl RecordsMissing {
    /// So many fit a body.
    pub const RANGES_MAX: usize = 1_000;

    /// None where nothing is missing. `numbers` ascend.
    pub fn of(author: AuthorId, numbers: &[u64]) -> Option<RecordsMissing> {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for n in numbers {
            let is_full = ranges.len() == RecordsMissing::RANGES_MAX;
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == *n || is_full => *last = *n,
                _ => ranges.push((*n, *n)),
            }
        }
        (!ranges.is_empty()).then_some(RecordsMissing { author, count: numbers.len() as u64, ranges })
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StayOpened {
    pub patient: PatientId,
    pub mrn: String,
    pub family: String,
    pub given: String,
    pub born: NaiveDate,
}

impl std::fmt::Debug for StayOpened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StayOpened(***)")
    }
}

/// Somebody who is here and whom nobody has in the census yet.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StayProvisional {
    /// A name, or what can be seen: "woman, about 30, came 02:10".
    pub words: String,
    /// A bed of the ward; empty where there is none yet.
    pub bed: String,
}

impl std::fmt::Debug for StayProvisional {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StayProvisional(***)")
    }
}

/// `patient` is the person who is known as `into`. The envelope's stay is one of `patient`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientMerged {
    pub patient: PatientId,
    pub mrn: String,
    pub into: PatientId,
    pub into_mrn: String,
    /// A stay of `into`: its wards have to know too.
    pub with: StayId,
}

impl std::fmt::Debug for PatientMerged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PatientMerged(***)")
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub level: Level,
    /// The prescriber as written in the order: "Dr A. Patel".
    pub ordered_by: String,
    pub reason: String,
    /// When the order must be reviewed or lapses; it holds on until ended, and is flagged after this.
    pub until: Option<Ms>,
    /// Orders that end with this one.
    pub replaces: Vec<RecordId>,
}

/// A confirmed absence. The clock stops from `observed_at` of the record, and alarms past `return_by`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    pub reason: PauseReason,
    /// Who is with the patient, in words.
    pub escort: String,
    pub return_by: Ms,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "kinds.ts")]
pub enum PauseReason {
    Leave,
    EmergencyDepartment,
    Court,
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "kinds.ts")]
pub struct Check {
    pub place: Code,
    pub activity: Code,
    /// Named, not ranked. Said by the technician is always there and is not listed.
    /// What a newer program knows to read is left out, and the check stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::wire::known")]
    pub evidence: Vec<Evidence>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "shown_by", rename_all = "snake_case")]
#[ts(export_to = "kinds.ts")]
pub enum Evidence {
    TagRead { tag: String, read_at: Ms },
    WristbandRead { read_at: Ms },
    SecondPerson { staff: StaffId },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "kinds.ts")]
pub struct Mood {
    pub source: MoodSource,
    /// 0 worst to 10 best, as the patient answered; only with [`MoodSource::Patient`].
    pub score: Option<u8>,
    pub affect: Vec<Code>,
    /// In the patient's words.
    pub words: String,
    pub harm: Option<HarmTalk>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "kinds.ts")]
pub enum MoodSource {
    Patient,
    StaffImpression,
    DeclinedToSay,
}

/// Said anything about hurting self or others?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "kinds.ts")]
pub enum HarmTalk {
    NothingSaid,
    AskedSaidNo,
    Yes,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "kinds.ts")]
pub struct Behaviour {
    pub before: Vec<Code>,
    pub what: Vec<Code>,
    pub staff_did: Vec<Code>,
    pub then: Option<Code>,
    pub affected: Vec<Code>,
    pub words: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "kinds.ts")]
pub enum EmergencyKind {
    NeedHelp,
    NotFound,
    NotBreathing,
    Danger,
}

impl EmergencyKind {
    pub fn words(self) -> &'static str {
        match self {
            EmergencyKind::NeedHelp => "Need help",
            EmergencyKind::NotFound => "Patient not found",
            EmergencyKind::NotBreathing => "Not breathing, not responding",
            EmergencyKind::Danger => "Hurting self, danger now",
        }
    }
}

/// Corrects an earlier record. Both stay visible. It never closes a gap and never moves a due time forward.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "kinds.ts")]
pub struct Amendment {
    pub of: RecordId,
    pub action: AmendmentAction,
    pub reason: AmendmentReason,
    /// Required for [`AmendmentReason::Other`].
    pub words: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "do", rename_all = "snake_case")]
#[ts(export_to = "kinds.ts")]
pub enum AmendmentAction {
    /// It never counted: the earlier due time is back.
    Retract,
    /// Where or what was tapped wrongly; the time stands and so does that the patient was seen.
    CorrectCheck { place: Code, activity: Code },
    /// Text added to a note, mood or behaviour entry.
    Add { words: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "kinds.ts")]
pub enum AmendmentReason {
    Undo,
    WrongPatient,
    MisTap,
    Other,
}

/// A tablet's clocks against the server's, at one contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockMeasured {
    pub server: Ms,
    /// The tablet's wall clock at the same moment (half of the round trip is allowed for).
    pub wall: Ms,
    pub round_trip_ms: i64,
}
