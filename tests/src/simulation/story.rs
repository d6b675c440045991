//! What can happen, and how a seed becomes a story.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// One thing that happens. Numbers that name somebody or something count round: any part of a story is a story.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// Somebody records something on a tablet.
    Save {
        unit: u8,
        patient: u8,
        what: What,
    },
    /// Something is recorded at the station.
    Station {
        patient: u8,
    },
    /// Somebody unknown pushes what no handler likes.
    Poison {
        what: Poison,
    },
    /// A tablet's whole contact, with nothing in its way.
    Sync {
        unit: u8,
    },
    /// One request of a tablet, and how it fares. Between two of these of the same contact anything else may happen.
    Carry {
        unit: u8,
        half: Half,
        how: How,
    },
    /// An old request arrives once more; nobody hears the answer.
    Again {
        unit: u8,
        which: u8,
    },
    Wait {
        seconds: u16,
    },
    /// A tablet's wall clock jumps.
    Jump {
        unit: u8,
        seconds: i32,
    },
    /// A tablet ends without warning and is started again: with another boot where `boots`.
    Kill {
        unit: u8,
        boots: bool,
    },
    /// A tablet ends without warning, one of its files is harmed, and it is started again.
    Harm {
        unit: u8,
        what: Harm,
        at: u16,
    },
    /// A copy of a tablet's folder is put aside.
    Image {
        unit: u8,
    },
    /// A tablet's folder is replaced by an image of it.
    PutBack {
        image: u8,
    },
    /// A second device goes on from a copy of a tablet's folder.
    Clone {
        unit: u8,
    },
    /// A tablet is lost for ever.
    Destroy {
        unit: u8,
    },
    /// A patient comes to another ward.
    Transfer {
        patient: u8,
    },
    /// Somebody comes whom the tablet's census does not have.
    TakeUp {
        unit: u8,
    },
    /// The station finds out who that was.
    Join {
        who: u8,
        patient: u8,
    },
    /// A tablet is to work on the other ward from now on.
    Move {
        unit: u8,
    },
    /// A tablet is taken out of use.
    Revoke {
        unit: u8,
    },
    /// Thirty-one days pass.
    Month,
    Prune {
        unit: u8,
    },
    /// A month in which all goes well: everybody is in touch, the server is backed up, and what is old is pruned.
    QuietMonth,
    KillServer,
    /// The `backup` command.
    BackUp,
    /// The server's folder is replaced by a backup.
    Restore {
        backup: u8,
    },
    /// The server's folder is copied by hand.
    CopyByHand,
    /// The server's folder is replaced by such a copy.
    RestoreByHand {
        copy: u8,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Check,
    Note,
    /// A past time is given.
    Late,
    /// The tablet's last entry is taken back.
    Undo,
    /// The tablet's last entry is saved again under its own id, as a double tap does.
    Twice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poison {
    NotJson,
    UnknownKind,
    NewerVersion,
    /// The id of an entry that was saved, with other bytes.
    SameId,
    /// A check that says it was made next year.
    Future,
}

/// The two halves of a tablet's sync, which run side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    Send,
    Listen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Asked and answered; an answer that was held up is handed over now.
    Through,
    /// The question never arrives.
    Lost,
    /// It is done, and the answer never arrives.
    AnswerLost,
    /// The question arrives twice.
    Twice,
    /// It is done, and the answer is held up.
    HeldUp,
    /// An answer to an older question of the same sort arrives in its place.
    Stale,
    /// A byte of it is changed on the way.
    Mangled,
    Busy,
}

/// What becomes of a tablet's files while it is off. Never of both copies at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    LogLost,
    LogBent,
    LogCut,
    RecordsLost,
    RecordsBent,
    RecordsCut,
    SecondCopyLost,
    SecondCopyBent,
    SecondCopyCut,
    IdentityBent,
}

fn step() -> impl Strategy<Value = Step> {
    let unit = || any::<u8>();
    let what = prop_oneof![6 => Just(What::Check), 4 => Just(What::Note), 1 => Just(What::Late), 1 => Just(What::Undo), 1 => Just(What::Twice)];
    let poison = prop_oneof![
        Just(Poison::NotJson),
        Just(Poison::UnknownKind),
        Just(Poison::NewerVersion),
        Just(Poison::SameId),
        Just(Poison::Future)
    ];
    let how = prop_oneof![
        9 => Just(How::Through),
        2 => Just(How::Lost),
        4 => Just(How::AnswerLost),
        2 => Just(How::Twice),
        4 => Just(How::HeldUp),
        2 => Just(How::Stale),
        1 => Just(How::Mangled),
        1 => Just(How::Busy),
    ];
    let half = prop_oneof![3 => Just(Half::Send), 2 => Just(Half::Listen)];
    let harm = prop_oneof![
        Just(Harm::LogLost),
        Just(Harm::LogBent),
        Just(Harm::LogCut),
        Just(Harm::RecordsLost),
        Just(Harm::RecordsBent),
        Just(Harm::RecordsCut),
        Just(Harm::SecondCopyLost),
        Just(Harm::SecondCopyBent),
        Just(Harm::SecondCopyCut),
        Just(Harm::IdentityBent)
    ];
    // Tenths of what a step weighs beside a recording.
    prop_oneof![
        130 => (unit(), any::<u8>(), what).prop_map(|(unit, patient, what)| Step::Save { unit, patient, what }),
        10 => any::<u8>().prop_map(|patient| Step::Station { patient }),
        8 => poison.prop_map(|what| Step::Poison { what }),
        40 => unit().prop_map(|unit| Step::Sync { unit }),
        150 => (unit(), half, how).prop_map(|(unit, half, how)| Step::Carry { unit, half, how }),
        15 => (unit(), any::<u8>()).prop_map(|(unit, which)| Step::Again { unit, which }),
        30 => (1..2_000_u16).prop_map(|seconds| Step::Wait { seconds }),
        6 => (unit(), -90_000..90_000_i32).prop_map(|(unit, seconds)| Step::Jump { unit, seconds }),
        16 => (unit(), any::<bool>()).prop_map(|(unit, boots)| Step::Kill { unit, boots }),
        18 => (unit(), harm, any::<u16>()).prop_map(|(unit, what, at)| Step::Harm { unit, what, at }),
        6 => unit().prop_map(|unit| Step::Image { unit }),
        6 => any::<u8>().prop_map(|image| Step::PutBack { image }),
        7 => unit().prop_map(|unit| Step::Clone { unit }),
        4 => unit().prop_map(|unit| Step::Destroy { unit }),
        8 => any::<u8>().prop_map(|patient| Step::Transfer { patient }),
        5 => unit().prop_map(|unit| Step::TakeUp { unit }),
        6 => (any::<u8>(), any::<u8>()).prop_map(|(who, patient)| Step::Join { who, patient }),
        4 => unit().prop_map(|unit| Step::Move { unit }),
        2 => unit().prop_map(|unit| Step::Revoke { unit }),
        4 => Just(Step::Month),
        8 => unit().prop_map(|unit| Step::Prune { unit }),
        8 => Just(Step::QuietMonth),
        8 => Just(Step::KillServer),
        10 => Just(Step::BackUp),
        8 => any::<u8>().prop_map(|backup| Step::Restore { backup }),
        4 => Just(Step::CopyByHand),
        5 => any::<u8>().prop_map(|copy| Step::RestoreByHand { copy }),
    ]
}

/// The story of a seed: the same for the same seed and program.
pub fn story_of(seed: u64) -> Vec<Step> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    // A length is always chosen and a step always made.
    #[allow(clippy::expect_used)]
    prop::collection::vec(step(), 15..70).new_tree(&mut runner).expect("every seed has a story").current()
}
