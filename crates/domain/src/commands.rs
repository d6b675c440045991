//! Every command of the tablet's page, declared once: name, arguments, reply, and who may give it in which state.
//! The TypeScript side is generated from this table; the Rust side refuses what the table does not allow.

use crate::ids::{RecordId, StaffId, StayId};
use crate::kinds::{AmendmentAction, AmendmentReason, Behaviour, Code, EmergencyKind, Evidence, Mood};
use crate::roster::{Lists, Role};
use crate::time::Ms;
use crate::views::{Board, Card, DayRow, Locked, OpenEmergency, PatientDay};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Who may give a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Always, also before joining and while locked. Shows no patient data.
    Anyone,
    /// On a joined tablet, also while locked. Shows no names.
    Locked,
    /// Signed in and unlocked, with one of these roles.
    Roles(&'static [Role]),
}

use Role::{ChargeNurse, Nurse, Technician};
const CARE: &[Role] = &[Technician, Nurse, ChargeNurse];
const NURSES: &[Role] = &[Nurse, ChargeNurse];
const CHARGE: &[Role] = &[ChargeNurse];

/// Arguments of a command that takes none.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct Nothing {}

macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident($args:ty) -> $reply:ty, $access:expr;)*) => {
        /// Every command by name. `Command::all()` is the whole table.
        #[allow(non_camel_case_types)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Command { $($(#[$doc])* $name),* }

        impl Command {
            pub const ALL: &'static [Command] = &[$(Command::$name),*];
            pub fn name(self) -> &'static str {
                match self { $(Command::$name => stringify!($name)),* }
            }
            pub fn by_name(name: &str) -> Option<Command> {
                match name { $(stringify!($name) => Some(Command::$name),)* _ => None }
            }
            pub fn access(self) -> Access {
                match self { $(Command::$name => $access),* }
            }
        }

        /// One method a command; the tablet implements it, [`dispatch`] calls it by name.
        pub trait Answer {
            $($(#[$doc])* fn $name(&self, args: $args) -> impl Future<Output = Result<$reply, crate::refusal::Refusal>> + Send;)*
        }

        /// Calls a command by name with JSON arguments. Access has been checked by the caller.
        /// Errors: "arguments.wrong" where the arguments do not fit.
        pub async fn dispatch<A: Answer + Sync>(to: &A, command: Command, args: serde_json::Value) -> Result<serde_json::Value, crate::refusal::Refusal> {
            use crate::refusal::Refusal;
            let wrong = |_| Refusal::new("arguments.wrong", "This screen and the program behind it do not fit together.", "Close Lamplight and open it again.");
            match command {
                $(Command::$name => {
                    let args: $args = serde_json::from_value(args).map_err(wrong)?;
                    serde_json::to_value(to.$name(args).await?).map_err(wrong)
                })*
            }
        }

        /// The TypeScript interface `Commands`: a line a command with the names of its arguments and reply.
        pub fn typescript() -> String {
            let cfg = ts_rs::Config::default();
            let mut out = String::from("export interface Commands {\n");
            $(out += &format!("  {}: {{ args: {}; reply: {} }};\n", stringify!($name), <$args as TS>::name(&cfg), <$reply as TS>::name(&cfg));)*
            out + "}\n"
        }
    };
}

commands! {
    /// What this tablet is, and what state it is in.
    hello(Nothing) -> Hello, Access::Anyone;
    /// Joins a facility with an invite.
    join(Join) -> Hello, Access::Anyone;
    /// The locked screen.
    locked(Nothing) -> Locked, Access::Locked;
    sign_in(SignIn) -> Session, Access::Locked;
    /// Help, also from a locked tablet: recorded as unsigned then.
    raise(Raise) -> Raised, Access::Locked;
    /// What this tablet holds and knows. Names nobody.
    status(Nothing) -> Status, Access::Locked;
    /// Silences this tablet's signal for two minutes. Recorded; colours stay.
    silence(Nothing) -> Nothing, Access::Locked;
    set_theme(SetTheme) -> Nothing, Access::Anyone;

    /// Locks; half-made entries stay with their author.
    lock(Nothing) -> Nothing, Access::Roles(CARE);
    /// Tells the program that a finger was here, so that it does not lock.
    touch(Nothing) -> Nothing, Access::Roles(CARE);
    board(Nothing) -> Board, Access::Roles(CARE);
    /// Everything that the check pad shows of one patient.
    pad(OfStay) -> Pad, Access::Roles(CARE);
    /// Saves an entry. The reply comes after it is durable.
    save(Save) -> Saved, Access::Roles(CARE);
    /// Keeps a half-made entry, so that it survives a crash, a lock, a change of user.
    keep_draft(Draft) -> Nothing, Access::Roles(CARE);
    drop_draft(DropDraft) -> Nothing, Access::Roles(CARE);
    /// The signed-in person's half-made entries.
    drafts(Nothing) -> Vec<KeptDraft>, Access::Roles(CARE);
    /// Undo, wrong patient, mis-tap, correction: a new record, both stay visible.
    amend(Amend) -> Saved, Access::Roles(CARE);
    day(OfDay) -> PatientDay, Access::Roles(CARE);
    /// A patient whom nobody has in the census yet, for as long as it takes: a provisional stay, with a check due at once.
    take_up(TakeUp) -> TakenUp, Access::Roles(CARE);
    /// The ward's beds in walking order, for [`Command::take_up`].
    beds(Nothing) -> Vec<BedChoice>, Access::Roles(CARE);
    /// Takes over the ward's observations: accepted by the incoming person. A count that differs from the census is
    /// recorded, and said in the notice.
    take_over(TakeOver) -> Saved, Access::Roles(CARE);
    /// The signed-in person is with this patient from now on (continuous level).
    start_watch(OfStay) -> Saved, Access::Roles(CARE);
    end_watch(OfStay) -> Saved, Access::Roles(CARE);
    acknowledge_level(OfRecord) -> Saved, Access::Roles(CARE);
    /// A nurse acknowledges a concern or an emergency; a technician says who came.
    acknowledge(Acknowledge) -> Saved, Access::Roles(CARE);
    end_emergency(EndEmergency) -> Saved, Access::Roles(CARE);
    /// The signed-in person says that a call for help which nobody signed was theirs.
    claim(OfRecord) -> Saved, Access::Roles(CARE);
    /// A nurse stands for the ward's observations.
    verify(Nothing) -> Saved, Access::Roles(NURSES);
    /// Who cannot sign in here, and who may only for some hours.
    people(Nothing) -> People, Access::Roles(CHARGE);
    /// Somebody who was locked out by wrong PINs may try again.
    let_in(OfPerson) -> People, Access::Roles(CHARGE);
    /// Lets somebody who is not on the staff list work on this tablet for some hours, as a technician.
    give_access(GiveAccess) -> People, Access::Roles(CHARGE);
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct Hello {
    pub joined: bool,
    pub facility_name: String,
    pub ward_name: String,
    /// "W-1"; empty before joining.
    pub tablet_name: String,
    pub demo: bool,
    pub theme: Theme,
    pub version: String,
    pub signed_in: Option<Session>,
    /// What is wrong with the file or the machine, in plain words; empty when all is well.
    pub troubles: Vec<crate::refusal::Refusal>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "commands.ts")]
pub enum Theme {
    #[default]
    Night,
    Day,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct Join {
    /// "lamplight:…"
    pub invite: String,
    /// "W-1"; empty lets the server choose the next free one.
    pub name: String,
}

/// The PIN prints as `***`.
#[derive(Clone, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct SignIn {
    pub staff: StaffId,
    pub pin: String,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignIn({}, ***)", self.staff)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct Session {
    pub staff: StaffId,
    /// "M. Okafor"
    pub name: String,
    pub role: Role,
    /// Holds the ward's observations now.
    pub holds: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct SetTheme {
    pub theme: Theme,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct OfStay {
    pub stay: StayId,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct OfRecord {
    pub record: RecordId,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct OfDay {
    pub stay: StayId,
    /// "2026-11-22" in the facility's zone; None for the last 24 hours.
    pub date: Option<String>,
}

/// The check pad of one patient.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct Pad {
    pub card: Card,
    /// "MRN …4471"
    pub mrn: String,
    /// "born 1991-03-12"
    pub born: String,
    /// "Q15 since 19:20, Dr Patel"
    pub level: String,
    pub level_as_of: String,
    /// The signed-in person is recorded as being with the patient: only they can leave.
    pub watching: bool,
    /// Newest first, at most six.
    pub recent: Vec<DayRow>,
    pub lists: Lists,
    /// Earlier mood answers of this stay, newest first: "3 at 21:10".
    pub moods: Vec<String>,
    /// A new id for the draft of the next entry.
    pub draft: RecordId,
}

/// What a person enters about one patient. Nothing in it is ever filled in by the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export_to = "commands.ts")]
pub enum Entry {
    Check { place: Code, activity: Code, evidence: Vec<Evidence> },
    Heard { place: Code },
    CantTell { place: Code },
    NotDone { reason: Code, words: String },
    Mood { mood: Mood },
    Behaviour { behaviour: Behaviour },
    Note { words: String },
    Concern { words: String },
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct Save {
    /// The draft's id: saving it twice saves it once.
    pub id: RecordId,
    pub stay: StayId,
    pub entry: Entry,
    /// Only for a late entry: when it was seen. A future time is refused; None is now.
    pub observed_at: Option<Ms>,
    /// When the person tapped, by the board's time. A save that comes more than 30 s after it, because the first try
    /// failed, is a late entry of that time: nobody looked again. None where the save is the tap itself.
    #[serde(default)]
    pub tapped_at: Option<Ms>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct Saved {
    pub record: RecordId,
    pub recorded_at: Ms,
    /// "Saved on this tablet 02:47:10"; of other acts what was done: "Taken back 02:47:10".
    pub words: String,
    /// Something to show with it, such as "Another check of this patient 40 s ago"; else empty.
    pub notice: String,
    /// Until when the undo button stands (ten seconds).
    pub undo_until: Ms,
}

/// A half-made entry. It may be far from an [`Entry`] yet, so the form's state is the page's own text, at most 16 KiB.
#[derive(Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct Draft {
    pub id: RecordId,
    pub stay: StayId,
    pub begun_at: Ms,
    /// Which form: "mood", "behaviour", "note", "concern", "not_done", "late_entry", "amendment".
    pub form: String,
    /// What stands in it, as JSON that only the page reads.
    pub state: String,
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Draft({}, ***)", self.id)
    }
}

/// A half-made entry as it is offered again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct KeptDraft {
    #[serde(flatten)]
    pub draft: Draft,
    /// When it was begun: "02:10".
    pub begun_clock: String,
    /// Begun so long ago that "now" would be an invented time: the person says when it was seen.
    pub ask_when_seen: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct DropDraft {
    pub id: RecordId,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct Amend {
    pub of: RecordId,
    pub action: AmendmentAction,
    pub reason: AmendmentReason,
    pub words: String,
}

/// What is known of the patient prints as `***`.
#[derive(Clone, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct TakeUp {
    /// A name, or what can be seen: "woman, about 30, came 02:10".
    pub words: String,
    /// A bed of the ward; empty where there is none yet.
    pub bed: String,
}

impl std::fmt::Debug for TakeUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TakeUp(***)")
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct TakenUp {
    pub stay: StayId,
    pub saved: Saved,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct BedChoice {
    /// "104A"
    pub bed: String,
    /// Somebody has it, as the census has it.
    pub taken: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct TakeOver {
    /// How many patients the incoming person counts on the ward; a difference is recorded and shown.
    pub census_count: u16,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct Raise {
    pub what: EmergencyKind,
    pub stay: Option<StayId>,
    /// Bed, room or place where it is; may be empty.
    pub place: String,
    /// An emergency that was raised before anybody knew of which patient: this one takes its place and its time, and
    /// that one is ended.
    #[serde(default)]
    pub instead_of: Option<RecordId>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct Raised {
    pub record: RecordId,
    /// With names only while signed in. Not `recorded` where this tablet could not write it down: it tries again.
    pub emergency: OpenEmergency,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct Acknowledge {
    pub of: RecordId,
    /// Who came, where that is not the signed-in person.
    pub came: Option<StaffId>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct EndEmergency {
    pub of: RecordId,
    pub words: String,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct OfPerson {
    pub staff: StaffId,
}

/// Names and PIN print as `***`.
#[derive(Clone, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct GiveAccess {
    pub family: String,
    pub given: String,
    /// Where they come from and how they are known there: "Agency Northstaff 118".
    pub number: String,
    /// Chosen by the person themselves, and known to nobody else.
    pub pin: String,
    /// From now on; 1 to [`GiveAccess::HOURS_MAX`].
    pub hours: u8,
}

impl GiveAccess {
    /// The longest shift, with an hour for the handover.
    pub const HOURS_MAX: u8 = 13;
}

impl std::fmt::Debug for GiveAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GiveAccess(*** for {} h)", self.hours)
    }
}

/// Of this tablet's people, those whom a charge nurse may have to do something about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct People {
    /// Cannot sign in here until they are let in again.
    pub locked_out: Vec<OnePerson>,
    /// Temporary access, newest first; also what has ended since yesterday.
    pub guests: Vec<OnePerson>,
    pub hours_max: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct OnePerson {
    pub staff: StaffId,
    /// "M. Okafor, MHT 2304"
    pub name: String,
    /// "technician, 10 wrong PINs, the last 02:47"; "until 07:30"; "ended 07:30".
    pub words: String,
}

/// What this tablet holds and knows, for the strip at the top of every screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "commands.ts")]
pub struct Status {
    pub online: bool,
    /// "Offline since 01:52. Levels and other tablets' checks as of 01:52."; empty when online and all confirmed.
    pub words: String,
    /// "73 saved on this tablet, waiting for the station"; empty when nothing waits.
    pub waiting_words: String,
    /// Own links that the server has not confirmed.
    pub waiting: u64,
    /// Own links in all, and how many the server confirmed.
    pub head: u64,
    pub confirmed: u64,
    pub last_contact: Option<Ms>,
    pub last_contact_clock: String,
    /// This tablet's wall clock against the server's at the last contact, ms; None before the first.
    pub clock_error_ms: Option<i64>,
    /// No sound device, clock suspect, disk nearly full, damaged file, wrong server: each with what to do.
    pub troubles: Vec<crate::refusal::Refusal>,
    /// Can the alarm be heard on this machine.
    pub sound: bool,
    /// "This tablet's files are protected by the machine's key store; the facility can open them too."
    pub protection: String,
}
