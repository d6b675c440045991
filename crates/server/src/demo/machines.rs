//! What the tablets record about themselves: joining, starts, stretches out of touch, and their clocks against the
//! server's.

use super::Writer;
use super::diary::{Boot, Net};
use super::dice::Dice;
use super::walk::{Ground, Walk};
use lamplight_domain::kinds::{ClockMeasured, Event};
use lamplight_domain::roster::Role;
use lamplight_domain::time::{MINUTE_MS, Ms, SECOND_MS};

/// W-2 falls silent while two walk, and starts anew after it; the holder's tablet is once out of touch shortly.
pub fn net(walk: &Walk, ground: Ground, dice: &mut Dice) -> Net {
    let begin = ground.plan.begin;
    let mut net = Net::default();
    for tablet in &ground.people.tablets {
        let since = begin - dice.range(35 * 60, 90 * 60) * SECOND_MS;
        let boot = Boot { id: dice.uuid(), since };
        net.boots.insert(Writer::Tablet(tablet.id), vec![boot]);
    }
    let orders: Vec<Ms> = ground.plan.levels.iter().map(|l| l.at).collect();
    // Nobody acknowledges on a silent tablet what it cannot have heard of.
    let no_orders = |from: Ms, to: Ms| orders.iter().all(|o| *o < from - 30 * MINUTE_MS || to < *o);
    let joins = ground.plan.joins.iter().copied();
    if let Some((from, to)) = joins.skip(1).find(|(from, to)| no_orders(*from, *to + 3 * MINUTE_MS)) {
        let second = walk.second.tablet;
        let back = to + 3 * MINUTE_MS;
        net.silences.insert(second, vec![(from + 4 * MINUTE_MS, back)]);
        let boot = Boot { id: dice.uuid(), since: back - 40 * SECOND_MS };
        net.boots.entry(second).or_default().push(boot);
    }
    let silence = (300..460)
        .map(|m| (begin + m * MINUTE_MS, begin + (m + 13) * MINUTE_MS))
        .find(|(from, to)| no_orders(*from, *to));
    net.silences.insert(walk.holder.tablet, silence.into_iter().collect());
    net
}

/// Joining, and the clocks measured about every hour, when a tablet is back in touch, and just before now: all three
/// are in touch at the end.
pub fn measure_clocks(walk: &mut Walk, ground: Ground, dice: &mut Dice, net: &Net) {
    let charge = ground.people.first_with(Role::ChargeNurse);
    for tablet in &ground.people.tablets {
        let writer = Writer::Tablet(tablet.id);
        let on = net.boots.get(&writer).and_then(|b| b.first()).map_or(ground.plan.begin, |b| b.since);
        let joined = on + dice.range(60, 240) * SECOND_MS;
        let event = Event::TabletJoined { tablet: tablet.id, name: tablet.name.clone() };
        walk.diary.write(joined, Writer::Server, Some(charge), None, event);
        let error = dice.range(-900, 1_400);
        let silences = net.silences.get(&writer).map_or(&[][..], |s| s.as_slice());
        for at in contacts(dice, joined + SECOND_MS, silences, ground.plan.now) {
            let server = at + error + dice.range(-30, 30);
            let measured = ClockMeasured { server, wall: at, round_trip_ms: dice.range(14, 90) };
            walk.diary.write(at, writer, None, None, Event::ClockMeasured(measured));
        }
    }
}

/// The contacts of one tablet at which its clock was measured; none while it is silent.
fn contacts(dice: &mut Dice, first: Ms, silences: &[(Ms, Ms)], now: Ms) -> Vec<Ms> {
    let last = now - dice.range(4_000, 20_000);
    let mut all: Vec<Ms> = silences.iter().map(|(_, back)| *back + 200).collect();
    let mut at = first;
    while at < last {
        if silences.iter().all(|(from, to)| at < *from || *to <= at) {
            all.push(at);
        }
        at = at + dice.range(50 * 60, 70 * 60) * SECOND_MS;
    }
    all.push(last);
    all.sort_unstable();
    all
}
