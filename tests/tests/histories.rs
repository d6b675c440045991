//! The simulation in its short form; `make faults` plays many thousands.
#![allow(clippy::unwrap_used)] // A test may fail.

use lamplight_tests::simulation::Step::{
    BackUp, Carry, Clone, Destroy, Harm, Month, Move, Prune, QuietMonth, Restore, Save, Sync, Transfer,
};
use lamplight_tests::simulation::{Half, Harm as What, How, Playing, What as Entry, histories, story, twice};

fn play(first_seed: u64, count: u64) {
    let found = histories(&Playing { first_seed, count, threads: 2, enough: 1, until: None }).unwrap();
    let told: String = found.failures.iter().map(ToString::to_string).collect();
    assert!(found.failures.is_empty(), "{told}");
    assert_eq!(found.histories, count);
}

#[test]
fn the_histories_that_everybody_plays_lose_nothing() {
    play(1, 60);
}

#[test]
fn fresh_histories_lose_nothing() {
    let seed = std::env::var("LAMPLIGHT_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(rand::random::<u64>);
    println!("fresh seed {seed} (repeat with LAMPLIGHT_SEED={seed})");
    play(seed, 30);
}

/// Else a seed that failed says nothing.
#[test]
fn a_seed_gives_the_same_history_every_time() {
    for seed in 1..=6 {
        let [once, again] = twice(seed).unwrap();
        assert_eq!(once, again, "seed {seed}");
    }
}

/// The shortest stories of faults that random histories found, each with its dice.
#[test]
fn the_stories_of_faults_that_were_found_lose_nothing_any_more() {
    let through = |unit, half| Carry { unit, half, how: How::Through };
    let save = |unit, patient, what| Save { unit, patient, what };
    // A tablet that writes under a fresh author asks a server that went back to before it.
    let asked_as_a_stranger = [
        Harm { unit: 226, what: What::RecordsBent, at: 55975 },
        BackUp,
        through(127, Half::Send),
        through(31, Half::Listen),
        through(208, Half::Send),
        Restore { backup: 187 },
    ];
    // A save is tried again after its entry was pruned.
    let saved_again_after_a_month = [
        save(46, 132, Entry::Check),
        Transfer { patient: 176 },
        Sync { unit: 199 },
        Month,
        BackUp,
        Carry { unit: 82, half: Half::Listen, how: How::Mangled },
        Prune { unit: 184 },
        save(148, 239, Entry::Twice),
    ];
    // What stands under a former author only, at a server that went back to before the newest one.
    let former_author = [
        BackUp,
        save(178, 192, Entry::Twice),
        through(193, Half::Send),
        Harm { unit: 7, what: What::RecordsBent, at: 57019 },
        Sync { unit: 73 },
        Restore { backup: 65 },
        through(103, Half::Send),
        Sync { unit: 151 },
    ];
    // A tablet is moved away, prunes, and comes back to its first ward.
    let moved_and_back = [
        Clone { unit: 22 },
        Move { unit: 65 },
        BackUp,
        Month,
        Sync { unit: 33 },
        Destroy { unit: 44 },
        Clone { unit: 89 },
        Move { unit: 136 },
        Destroy { unit: 146 },
        Prune { unit: 237 },
    ];
    // A restored server is backed up again before the tablet that knows of it has given back what was lost.
    let backed_up_between = [
        Clone { unit: 145 },
        Month,
        BackUp,
        Sync { unit: 112 },
        Restore { backup: 208 },
        Carry { unit: 144, half: Half::Listen, how: How::Twice },
        BackUp,
        Month,
        Carry { unit: 72, half: Half::Send, how: How::Stale },
        Sync { unit: 248 },
        Prune { unit: 248 },
    ];
    // An offer's answer comes from before the server was restored once more, and after the tablet has read of that.
    let answered_before_the_next_restore = [
        Clone { unit: 117 },
        BackUp,
        Restore { backup: 16 },
        Transfer { patient: 158 },
        Carry { unit: 44, half: Half::Listen, how: How::Twice },
        Carry { unit: 236, half: Half::Send, how: How::HeldUp },
        Restore { backup: 217 },
        through(172, Half::Listen),
        Carry { unit: 112, half: Half::Send, how: How::Mangled },
    ];
    // A backup is put back from before what a tablet has pruned since, under its author of now or one before.
    let pruned_and_further_back =
        [BackUp, save(0, 1, Entry::Note), Sync { unit: 0 }, QuietMonth, Restore { backup: 0 }, Sync { unit: 0 }];
    let pruned_under_a_former_author = [
        BackUp,
        save(0, 1, Entry::Note),
        Sync { unit: 0 },
        Harm { unit: 0, what: What::RecordsBent, at: 57019 },
        Sync { unit: 0 },
        QuietMonth,
        Restore { backup: 0 },
        Sync { unit: 0 },
    ];
    let told: Vec<String> = [
        story(1_795_679_277_807_700, &asked_as_a_stranger),
        story(1_795_679_277_811_055, &saved_again_after_a_month),
        story(1_795_679_277_813_867, &former_author),
        story(1_795_694_098_087_970, &moved_and_back),
        story(1_795_713_632_539_542, &backed_up_between),
        story(1_795_715_387_715_838, &answered_before_the_next_restore),
        story(1, &pruned_and_further_back),
        story(1, &pruned_under_a_former_author),
    ]
    .into_iter()
    .filter_map(|told| told.err().map(|why| format!("{why:#}")))
    .collect();
    assert!(told.is_empty(), "{told:#?}");
}
