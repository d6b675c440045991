//! Sounds the ward's one signal. It asks the tablet every second, from a thread of its own: it works while the page
//! hangs, while the tablet is locked, and with nobody signed in.

use crate::tones::{Burst, RATE_HZ};
use lamplight_domain::views::{Signal, SignalLevel};
use lamplight_tablet::Tablet;
use rodio::buffer::SamplesBuffer;
use rodio::{DeviceSinkBuilder, MixerDeviceSink, Player};
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A loudspeaker that comes is noticed within this, also on a quiet ward.
const TRY_MISSING_EVERY: Duration = Duration::from_secs(60);
/// And one that goes within this. The next burst would notice it anyway.
const TRY_WORKING_EVERY: Duration = Duration::from_secs(600);
/// Longer than the rarest bursts are apart.
const CLOSE_AFTER: Duration = Duration::from_secs(30);

/// Starts the thread. It ends with the process.
pub fn watch(tablet: Tablet) -> std::io::Result<()> {
    std::thread::Builder::new().name("alarm".into()).spawn(move || {
        let mut speaker = Speaker::default();
        let mut ringing = Ringing::default();
        loop {
            // A fault in working the signal out must not end the alarm, nor be taken for quiet.
            let signal = catch_unwind(AssertUnwindSafe(|| tablet.signal())).unwrap_or_else(|_| not_known());
            let turn = AssertUnwindSafe(|| {
                if let Some(burst) = ringing.burst_due(&signal, Instant::now()) {
                    speaker.play(&burst);
                }
                tablet.report_sound(speaker.can_be_heard());
            });
            // Nor may a fault of the sound system: it is begun anew, and the screens say what cannot be heard.
            if catch_unwind(turn).is_err() {
                tracing::error!("the sound system failed; it is begun anew");
                speaker = Speaker::default();
                let _ = catch_unwind(AssertUnwindSafe(|| tablet.report_sound(false)));
            }
            std::thread::sleep(LOOK_EVERY);
        }
    })?;
    Ok(())
}

/// The signal of a ward that cannot be worked out: *not known* alarms like overdue.
fn not_known() -> Signal {
    Signal::of(SignalLevel::Overdue, "")
}

/// When the next burst is due.
#[derive(Debug, Default)]
struct Ringing {
    level: Option<SignalLevel>,
    last: Option<Instant>,
}

impl Ringing {
    /// The burst to play at `now`, if it is time for one. A rising signal is heard at once; a silenced one is not heard,
    /// and is heard at once when the silence ends.
    fn burst_due(&mut self, signal: &Signal, now: Instant) -> Option<Burst> {
        let level = if signal.silenced_until.is_some() { SignalLevel::Quiet } else { signal.level };
        if self.level != Some(level) {
            tracing::info!(?level, silenced = signal.silenced_until.is_some(), "the ward's signal");
        }
        let rose = self.level.is_none_or(|before| level > before);
        self.level = Some(level);
        let burst = Burst::of(level)?;
        let due = rose || self.last.is_none_or(|last| now.duration_since(last) >= burst.every);
        due.then(|| {
            self.last = Some(now);
            burst
        })
    }
}

/// The machine's loudspeaker, or the lack of one. Open only while it is in use: an open device keeps a battery busy.
#[derive(Default)]
struct Speaker {
    open: Option<(MixerDeviceSink, Player)>,
    /// The last attempt to open it succeeded, and it has not broken since. None before the first.
    works: Option<bool>,
    /// Set by the sound system's thread when the device is lost.
    broken: Arc<AtomicBool>,
    tried: Option<Instant>,
    used: Option<Instant>,
}

impl Speaker {
    /// Whether a burst would be heard, as far as this machine can know. Tries the device now and then.
    fn can_be_heard(&mut self) -> bool {
        if self.broken.swap(false, Ordering::Relaxed) {
            tracing::warn!("the sound device is gone");
            (self.open, self.works) = (None, Some(false));
        }
        let idle = self.used.is_none_or(|used| used.elapsed() >= CLOSE_AFTER);
        if idle && self.open.as_ref().is_some_and(|(_, player)| player.empty()) {
            self.open = None;
        }
        let again = if self.works == Some(true) { TRY_WORKING_EVERY } else { TRY_MISSING_EVERY };
        if self.open.is_none() && self.tried_before(again) {
            self.open_device();
        }
        self.works == Some(true)
    }

    fn play(&mut self, burst: &Burst) {
        if self.open.is_none() && (self.works != Some(false) || self.tried_before(TRY_MISSING_EVERY)) {
            self.open_device();
        }
        let (Some((_, player)), Some(rate)) = (&self.open, NonZero::new(RATE_HZ)) else { return };
        self.used = Some(Instant::now());
        player.append(SamplesBuffer::new(NonZero::<u16>::MIN, rate, burst.samples()));
    }

    fn tried_before(&self, ago: Duration) -> bool {
        self.tried.is_none_or(|tried| tried.elapsed() >= ago)
    }

    fn open_device(&mut self) {
        self.tried = Some(Instant::now());
        let broken = Arc::clone(&self.broken);
        let opened = DeviceSinkBuilder::from_default_device()
            .map(|b| b.with_error_callback(move |_| broken.store(true, Ordering::Relaxed)))
            .and_then(|b| b.open_stream());
        let before = self.works.replace(opened.is_ok());
        match opened {
            Ok(mut sink) => {
                sink.log_on_drop(false);
                let player = Player::connect_new(sink.mixer());
                self.open = Some((sink, player));
            }
            Err(error) if before != Some(false) => {
                tracing::warn!(%error, "no sound device: the alarm can be seen, not heard");
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lamplight_domain::time::Ms;

    fn signal(level: SignalLevel) -> Signal {
        Signal::of(level, "")
    }
    fn silenced(level: SignalLevel) -> Signal {
        Signal { silenced_until: Some(Ms(1)), ..signal(level) }
    }

    #[test]
    fn a_quiet_ward_is_silent_and_a_rising_signal_is_heard_at_once() {
        let (mut ringing, start) = (Ringing::default(), Instant::now());
        let at = |s| start + Duration::from_secs(s);
        assert_eq!(ringing.burst_due(&signal(SignalLevel::Quiet), at(0)), None);
        assert_eq!(ringing.burst_due(&signal(SignalLevel::Overdue), at(1)), Burst::of(SignalLevel::Overdue));
        assert_eq!(ringing.burst_due(&signal(SignalLevel::Overdue), at(2)), None);
        assert_eq!(ringing.burst_due(&signal(SignalLevel::Emergency), at(3)), Burst::of(SignalLevel::Emergency));
        assert_eq!(ringing.burst_due(&signal(SignalLevel::Emergency), at(4)), None);
        assert_eq!(ringing.burst_due(&signal(SignalLevel::Emergency), at(6)), Burst::of(SignalLevel::Emergency));
        assert_eq!(ringing.burst_due(&signal(SignalLevel::Quiet), at(7)), None);
    }

    #[test]
    fn a_tablet_that_starts_with_somebody_overdue_is_heard_at_once() {
        let mut ringing = Ringing::default();
        assert!(ringing.burst_due(&signal(SignalLevel::Overdue), Instant::now()).is_some());
    }

    #[test]
    fn silence_is_kept_and_its_end_is_heard() {
        let (mut ringing, start) = (Ringing::default(), Instant::now());
        assert!(ringing.burst_due(&signal(SignalLevel::Urgent), start).is_some());
        for second in 1..120 {
            let now = start + Duration::from_secs(second);
            assert_eq!(ringing.burst_due(&silenced(SignalLevel::Urgent), now), None);
        }
        assert!(ringing.burst_due(&signal(SignalLevel::Urgent), start + Duration::from_secs(120)).is_some());
    }
}
