//! The last minutes before now, walked so that the board is one worth looking at: most patients are fine, a few are
//! due, and one or two are overdue because nobody came by in the last round.

use super::dice::Dice;
use super::walk::{Ground, Walk};
use lamplight_domain::time::{MINUTE_MS, Ms, SECOND_MS};

/// Where the walk is left for trying its end.
pub const ENDING_MS: i64 = 24 * MINUTE_MS;
/// Tries; nearly always one of the first twenty will do.
const TRIES: usize = 400;

/// Walks to the end in different ways and keeps the first that leaves such a board; else the one nearest to it.
pub fn walk_to_the_end(mut so_far: Walk, ground: Ground, seed: u64, now: Ms) -> Walk {
    // What is written already is set aside, so that a try copies little.
    let written = std::mem::take(&mut so_far.diary.lines);
    let mut best: Option<(u32, Walk)> = None;
    for attempt in 0..TRIES {
        let mut walk = so_far.clone();
        walk.dice = Dice::new(seed, &format!("ending {attempt} {}", now.0));
        // The last rounds are begun later than the others, at some hours much later: where all sit at one table, a
        // round takes no time.
        let later = walk.dice.range(0, 20);
        walk.eager_percent = (52 + later, 68 + later);
        let common: Vec<usize> = (0..ground.patients.len())
            .filter(|p| walk.limit_ms[*p] == Some(15 * MINUTE_MS) && walk.is_walked_to(ground, *p, now))
            .collect();
        for _ in 0..walk.dice.range(1, 2) {
            let patient = *walk.dice.pick(&common);
            let from = now - walk.dice.range(15 * 60 + 20, 17 * 60) * SECOND_MS;
            walk.passed_by.push((patient, from));
        }
        walk.on(ground, ground.plan.last_record());
        // From here on it is about what is due, not about who is walked to.
        walk.passed_by.clear();
        let wrong = faults(&walk, ground, now);
        if best.as_ref().is_none_or(|(least, _)| wrong < *least) {
            best = Some((wrong, walk));
        }
        if wrong == 0 {
            break;
        }
    }
    let mut walk = best.map_or(so_far, |(_, walk)| walk);
    walk.diary.lines.splice(0..0, written);
    walk
}

/// How far the board is from one to show; 0 is good.
fn faults(walk: &Walk, ground: Ground, now: Ms) -> u32 {
    let left: Vec<(i64, i64)> = (0..ground.patients.len())
        .filter(|p| walk.is_walked_to(ground, *p, now))
        .filter_map(|p| Some((walk.limit_ms[p]?, walk.limit_ms[p]? - (now - walk.gap_from(p)?))))
        .collect();
    let count =
        |test: &dyn Fn(i64, i64) -> bool| left.iter().filter(|(limit, left)| test(*limit, *left)).count() as u32;
    let overdue = count(&|_, left| left < 0);
    let due = count(&|limit, left| left >= 0 && left <= limit / 3);
    let far_over = count(&|limit, left| left < -limit / 3);
    let on_the_edge = count(&|_, left| left.abs() < 40 * SECOND_MS);
    let outside = |n: u32, least: u32, most: u32| least.saturating_sub(n) + n.saturating_sub(most);
    4 * outside(overdue, 1, 2) + outside(due, 2, 6) + 3 * far_over + on_the_edge
}
