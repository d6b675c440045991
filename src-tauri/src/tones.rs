//! What the ward's one signal sounds like: bursts of soft-edged tones that grow in number, pitch and loudness. Made
//! here, so that no sound file can be missing.

use lamplight_domain::views::SignalLevel;
use std::time::Duration;

pub const RATE_HZ: u32 = 44_100;

/// A burst, and how long after its start the next one begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burst {
    pub pulses: u32,
    pub pitch_hz: f32,
    /// 0 to 1 of what the device can do.
    pub loudness: f32,
    pub every: Duration,
}

const PULSE: Duration = Duration::from_millis(180);
const PAUSE: Duration = Duration::from_millis(120);
/// Long enough that no click is heard at the edges, short enough to stay sharp.
const EDGE: Duration = Duration::from_millis(15);

impl Burst {
    /// None where the ward is quiet. Most alarms of a ward are noise and staff learn not to hear them, so the first
    /// step is a rare, low one.
    pub fn of(level: SignalLevel) -> Option<Burst> {
        let (pulses, pitch_hz, loudness, every_s) = match level {
            SignalLevel::Quiet => return None,
            SignalLevel::Overdue => (2, 523.25, 0.3, 20),
            SignalLevel::Urgent => (3, 659.25, 0.55, 8),
            SignalLevel::Emergency => (5, 880.0, 0.9, 3),
        };
        Some(Burst { pulses, pitch_hz, loudness, every: Duration::from_secs(every_s) })
    }

    /// One channel at [`RATE_HZ`], each sample within -1 to 1.
    pub fn samples(&self) -> Vec<f32> {
        let count = |d: Duration| (d.as_secs_f32() * RATE_HZ as f32) as usize;
        let (pulse, pause, edge) = (count(PULSE), count(PAUSE), count(EDGE));
        let tone = (0..pulse).map(|i| {
            let turn = std::f32::consts::TAU * self.pitch_hz * i as f32 / RATE_HZ as f32;
            // A little of the octave carries through a closed door better than a pure tone.
            let wave = 0.8 * turn.sin() + 0.2 * (2.0 * turn).sin();
            let rise = (i.min(pulse - 1 - i) as f32 / edge as f32).min(1.0);
            wave * rise * self.loudness
        });
        let one: Vec<f32> = tone.chain(std::iter::repeat_n(0.0, pause)).collect();
        one.repeat(self.pulses as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RISING: [SignalLevel; 3] = [SignalLevel::Overdue, SignalLevel::Urgent, SignalLevel::Emergency];

    #[test]
    fn quiet_is_silent_and_every_step_is_more_than_the_last() {
        assert_eq!(Burst::of(SignalLevel::Quiet), None);
        let bursts: Vec<Burst> = RISING.into_iter().filter_map(Burst::of).collect();
        assert_eq!(bursts.len(), 3);
        for pair in bursts.windows(2) {
            let (less, more) = (pair[0], pair[1]);
            assert!(more.pulses > less.pulses && more.pitch_hz > less.pitch_hz, "{less:?} {more:?}");
            assert!(more.loudness > less.loudness && more.every < less.every, "{less:?} {more:?}");
        }
    }

    #[test]
    fn a_burst_is_heard_never_clips_and_ends_before_the_next() {
        for burst in RISING.into_iter().filter_map(Burst::of) {
            let samples = burst.samples();
            let loudest = samples.iter().fold(0.0_f32, |max, s| max.max(s.abs()));
            assert!(loudest > burst.loudness * 0.7 && loudest <= 1.0, "{burst:?}: {loudest}");
            assert!(samples.len() as u64 / u64::from(RATE_HZ) < burst.every.as_secs(), "{burst:?}");
            assert_eq!((samples.first(), samples.last()), (Some(&0.0), Some(&0.0)), "a click at an edge of {burst:?}");
        }
    }
}
