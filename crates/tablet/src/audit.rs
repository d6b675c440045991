//! Who signed in, failed to, was refused, looked at whom: records in this tablet's own chain that no board rests on.
//!
//! They are kept beside the pen until they are written down, which nobody waits for: neither the alarm, which may be the
//! one that notices an idle tablet, nor a sign-in on a full disk. A program that ends in between loses them.

use crate::file::lock;
use crate::tablet::Inner;
use crate::trouble;
use lamplight_domain::ids::{StaffId, WardId};
use lamplight_domain::kinds::{Act, Audit, Event};
use lamplight_domain::record::{Auth, Body, Envelope};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::{MINUTE_MS, SECOND_MS};
use std::collections::VecDeque;
use std::sync::TryLockError;

/// As many as a month of a disk that takes nothing brings together.
const WAITING_MAX: usize = 20_000;
/// Written together, so that a recording waits for few.
const TOGETHER: usize = 200;
/// What a page does over and over is noted this often, ms.
const REFUSED_EVERY_MS: i64 = MINUTE_MS;
/// How soon writing down is tried again, ms.
const TRY_AGAIN_MS: i64 = 5 * SECOND_MS;

/// What is not written down yet.
#[derive(Default)]
pub(crate) struct Audits {
    waiting: VecDeque<Vec<u8>>,
    /// By the boot clock: the last refusal that was noted of a command, and of a sign-in.
    refused_command: Option<i64>,
    refused_sign_in: Option<i64>,
    /// When writing down failed last.
    failed: Option<i64>,
}

impl Inner {
    /// Notes it, and writes it down before it returns where that can be done at once.
    pub fn audit(&self, by: Option<StaffId>, audit: Audit) {
        self.note(by, audit);
        self.write_audits();
    }

    /// Notes it; whoever sends or notes next writes it down.
    pub fn note(&self, by: Option<StaffId>, audit: Audit) {
        if self.is_frozen() {
            return;
        }
        let Some(bytes) = self.audit_body(by, audit) else { return };
        let mut audits = lock(&self.audits);
        if audits.waiting.len() < WAITING_MAX {
            audits.waiting.push_back(bytes);
        }
        drop(audits);
        self.to_send.notify_one();
    }

    /// A command that this person's role does not allow; at most one a minute.
    pub fn note_refused(&self, by: StaffId, command: &str) {
        if self.is_first_refused(|audits| &mut audits.refused_command) {
            self.note(Some(by), Audit { what: format!("command {command}"), ..Audit::of(Act::Refused) });
        }
    }

    /// A sign-in that was not let as far as the PIN; at most one a minute.
    pub fn note_refused_sign_in(&self, staff: StaffId, refusal: &Refusal) {
        if self.is_first_refused(|audits| &mut audits.refused_sign_in) {
            let what = refusal.code.clone();
            self.note(None, Audit { staff: Some(staff), what, ..Audit::of(Act::SignInFailed) });
        }
    }

    fn is_first_refused(&self, which: impl Fn(&mut Audits) -> &mut Option<i64>) -> bool {
        let now = self.clock.read().boot_ms;
        let mut audits = lock(&self.audits);
        let last = which(&mut audits);
        let is_first = last.is_none_or(|at| now - at >= REFUSED_EVERY_MS);
        if is_first {
            *last = Some(now);
        }
        is_first
    }

    /// Writes down what waits, unless somebody is writing: then it is done after them. Never from the reserve, which is
    /// for what was seen.
    pub fn write_audits(&self) {
        let now = self.clock.read().boot_ms;
        {
            let audits = lock(&self.audits);
            if audits.waiting.is_empty() || audits.failed.is_some_and(|at| now - at < TRY_AGAIN_MS) {
                return;
            }
        }
        let mut hand = match self.pen.try_lock() {
            Ok(hand) => hand,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        loop {
            let bodies: Vec<Vec<u8>> = lock(&self.audits).waiting.iter().take(TOGETHER).cloned().collect();
            if bodies.is_empty() {
                return;
            }
            if let Err(broken) = self.try_append(&mut hand, &bodies, |_| Ok(())) {
                tracing::error!(?broken, "the audit could not be written down");
                lock(&self.audits).failed = Some(now);
                return self.set_trouble(true, trouble::audit_not_written());
            }
            // Only whoever holds the pen takes any away.
            {
                let mut audits = lock(&self.audits);
                audits.waiting.drain(..bodies.len());
                audits.failed = None;
            }
            self.set_trouble(false, trouble::audit_not_written());
            self.to_send.notify_one();
        }
    }

    /// Something was noted that is not in the chain yet.
    pub fn has_unwritten_audits(&self) -> bool {
        !lock(&self.audits).waiting.is_empty()
    }

    /// None before joining, or where this machine gives no random numbers.
    fn audit_body(&self, by: Option<StaffId>, audit: Audit) -> Option<Vec<u8>> {
        let identity = self.identity()?;
        let clocks = self.clock.read();
        let envelope = Envelope {
            v: 1,
            id: self.new_id(clocks.wall).ok()?,
            kind: String::new(),
            kind_v: Body::KIND_V,
            facility: identity.facility,
            ward: WardId::FACILITY,
            stay: None,
            by,
            auth: if by.is_some() { Auth::Pin } else { Auth::None },
            tablet: Some(identity.tablet),
            observed_at: clocks.wall,
            recorded_at: clocks.wall,
            boot_id: Some(clocks.boot_id),
            boot_ms: Some(clocks.boot_ms),
            order: None,
            list_v: None,
        };
        let audit = Audit { tablet: Some(identity.tablet), ward: Some(identity.ward), ..audit };
        Body::new(envelope, Event::Audit(audit)).to_bytes().ok()
    }
}
