//! The page's commands, answered. Access is judged before any of this runs; the work is done off the async threads.

pub(crate) mod access;
mod entries;
mod events;
pub(crate) mod help;
#[cfg(test)]
mod help_tests;
mod people;
pub(crate) mod state;
#[cfg(test)]
mod tests;
mod ward;

use crate::file::lock;
use crate::session::{SignedIn, SignedOut};
use crate::tablet::{Inner, Tablet};
use lamplight_domain::commands::*;
use lamplight_domain::ids::{StaffId, StayId};
use lamplight_domain::kinds::{Act, Audit};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::views::{Board, Locked, PatientDay};
use serde_json::Value;
use zeroize::Zeroize;

/// Commands that the page gives by itself, with nobody's finger on it: they keep no tablet unlocked.
const BY_ITSELF: &[Command] =
    &[Command::hello, Command::status, Command::locked, Command::board, Command::drafts, Command::set_theme];

impl Tablet {
    /// Answers a command of the page. Errors: "command.unknown", "join.first", "locked", "role.not_allowed",
    /// "arguments.wrong", and those of the command.
    pub async fn call(&self, command: &str, args: Value) -> Result<Value, Refusal> {
        let command = Command::by_name(command).ok_or_else(|| {
            Refusal::new(
                "command.unknown",
                "This screen and the program behind it do not fit together.",
                "Close Lamplight and open it again.",
            )
        })?;
        let (state, by) = self.0.state();
        access::may(command.access(), state).inspect_err(|refusal| {
            if let Some(by) = by.filter(|_| refusal.code == access::NOT_ALLOWED) {
                self.0.note_refused(by, command.name());
            }
        })?;
        if !BY_ITSELF.contains(&command) {
            self.0.touch();
        }
        let args = if args.is_null() { Value::Object(Default::default()) } else { args };
        dispatch(self, command, args).await
    }

    /// Locks now. Half-made entries stay with their author.
    pub fn lock(&self) {
        self.0.end_session(SignedOut::ByButton);
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let inner = self.0.clone();
        let mended = move || work(&inner).inspect_err(|refusal| inner.mend_after(refusal));
        tokio::task::spawn_blocking(mended).await.unwrap_or_else(|e| {
            tracing::error!(panicked = e.is_panic(), "a command did not finish");
            Err(Refusal::new(
                "program.fault",
                "Something went wrong in this program.",
                "Look whether it was done, then try again.",
            ))
        })
    }
}

impl Inner {
    /// Locks first where nobody has touched the tablet for too long.
    fn state(&self) -> (access::State, Option<StaffId>) {
        let (joined, session) = (self.identity().is_some(), self.session());
        (access::State { joined, signed_in: session.map(|s| s.role) }, session.map(|s| s.staff))
    }

    /// Who is signed in now, the idle lock applied.
    pub fn session(&self) -> Option<SignedIn> {
        let limit = self.roster().map(|r| r.settings.idle_lock_seconds)?;
        let session = (*lock(&self.session))?;
        if session.is_idle(self.clock.read(), limit) {
            tracing::info!("locked: nobody was here");
            self.end_session(SignedOut::Idle);
            return None;
        }
        Some(session)
    }

    pub fn signed_in(&self) -> Result<SignedIn, Refusal> {
        self.session().ok_or_else(access::locked)
    }

    fn touch(&self) {
        if let Some(session) = lock(&self.session).as_mut() {
            session.touched = self.clock.read();
        }
    }

    /// Nobody waits for a disk here: the alarm may be the one that finds the tablet idle.
    pub fn end_session(&self, how: SignedOut) {
        let Some(session) = lock(&self.session).take() else { return };
        lock(&self.viewed).clear();
        self.note(Some(session.staff), Audit { what: how.words().to_owned(), ..Audit::of(Act::SignedOut) });
        self.changed();
    }

    /// A patient's data are about to be shown: on record the first time since this person signed in.
    fn viewed(&self, stay: StayId) -> Result<(), Refusal> {
        let staff = self.signed_in()?.staff;
        let stay = self.known().records.resolved(stay);
        if lock(&self.viewed).insert(stay) {
            self.audit(Some(staff), Audit { stay: Some(stay), ..Audit::of(Act::Viewed) });
        }
        Ok(())
    }
}

impl Answer for Tablet {
    async fn hello(&self, _: Nothing) -> Result<Hello, Refusal> {
        self.blocking(Inner::hello).await
    }
    async fn join(&self, args: Join) -> Result<Hello, Refusal> {
        Tablet::join(self, &args.invite, &args.name).await?;
        self.blocking(Inner::hello).await
    }
    async fn locked(&self, _: Nothing) -> Result<Locked, Refusal> {
        self.blocking(Inner::locked_with_help).await
    }
    async fn sign_in(&self, args: SignIn) -> Result<Session, Refusal> {
        self.blocking(move |inner| {
            let pin = zeroize::Zeroizing::new(args.pin);
            let session = inner.sign_in(args.staff, &pin)?;
            inner.session_view(session)
        })
        .await
    }
    async fn raise(&self, args: Raise) -> Result<Raised, Refusal> {
        self.blocking(|inner| inner.raise(args)).await
    }
    async fn status(&self, _: Nothing) -> Result<Status, Refusal> {
        self.blocking(|inner| Ok(inner.status())).await
    }
    async fn silence(&self, _: Nothing) -> Result<Nothing, Refusal> {
        self.blocking(Inner::silence).await
    }
    async fn set_theme(&self, args: SetTheme) -> Result<Nothing, Refusal> {
        self.blocking(move |inner| inner.set_theme(args.theme)).await
    }
    async fn lock(&self, _: Nothing) -> Result<Nothing, Refusal> {
        self.blocking(|inner| {
            inner.end_session(SignedOut::ByButton);
            inner.write_audits();
            Ok(Nothing {})
        })
        .await
    }
    async fn touch(&self, _: Nothing) -> Result<Nothing, Refusal> {
        Ok(Nothing {})
    }
    async fn board(&self, _: Nothing) -> Result<Board, Refusal> {
        self.blocking(Inner::board_with_help).await
    }
    async fn pad(&self, args: OfStay) -> Result<Pad, Refusal> {
        self.blocking(move |inner| {
            let pad = inner.pad(args.stay)?;
            inner.viewed(args.stay)?;
            Ok(pad)
        })
        .await
    }
    async fn save(&self, args: Save) -> Result<Saved, Refusal> {
        self.blocking(|inner| inner.save(args)).await
    }
    async fn keep_draft(&self, args: Draft) -> Result<Nothing, Refusal> {
        self.blocking(move |inner| inner.keep_draft(&args)).await
    }
    async fn drop_draft(&self, args: DropDraft) -> Result<Nothing, Refusal> {
        self.blocking(move |inner| inner.drop_draft(args.id)).await
    }
    async fn drafts(&self, _: Nothing) -> Result<Vec<KeptDraft>, Refusal> {
        self.blocking(Inner::drafts).await
    }
    async fn amend(&self, args: Amend) -> Result<Saved, Refusal> {
        self.blocking(|inner| inner.amend(args)).await
    }
    async fn day(&self, args: OfDay) -> Result<PatientDay, Refusal> {
        self.blocking(move |inner| {
            let day = inner.day(args.stay, args.date.as_deref())?;
            inner.viewed(args.stay)?;
            Ok(day)
        })
        .await
    }
    async fn take_up(&self, args: TakeUp) -> Result<TakenUp, Refusal> {
        self.blocking(|inner| inner.take_up(args)).await
    }
    async fn beds(&self, _: Nothing) -> Result<Vec<BedChoice>, Refusal> {
        self.blocking(Inner::beds).await
    }
    async fn take_over(&self, args: TakeOver) -> Result<Saved, Refusal> {
        self.blocking(move |inner| inner.take_over(args.census_count)).await
    }
    async fn start_watch(&self, args: OfStay) -> Result<Saved, Refusal> {
        self.blocking(move |inner| inner.start_watch(args.stay)).await
    }
    async fn end_watch(&self, args: OfStay) -> Result<Saved, Refusal> {
        self.blocking(move |inner| inner.end_watch(args.stay)).await
    }
    async fn acknowledge_level(&self, args: OfRecord) -> Result<Saved, Refusal> {
        self.blocking(move |inner| inner.acknowledge_level(args.record)).await
    }
    async fn acknowledge(&self, args: Acknowledge) -> Result<Saved, Refusal> {
        self.blocking(move |inner| inner.acknowledge(args.of, args.came)).await
    }
    async fn end_emergency(&self, args: EndEmergency) -> Result<Saved, Refusal> {
        self.blocking(|inner| inner.end_emergency(args)).await
    }
    async fn verify(&self, _: Nothing) -> Result<Saved, Refusal> {
        self.blocking(Inner::verify).await
    }
    async fn claim(&self, args: OfRecord) -> Result<Saved, Refusal> {
        self.blocking(move |inner| inner.claim(args.record)).await
    }
    async fn people(&self, _: Nothing) -> Result<People, Refusal> {
        self.blocking(Inner::people).await
    }
    async fn let_in(&self, args: OfPerson) -> Result<People, Refusal> {
        self.blocking(move |inner| inner.let_in(args.staff)).await
    }
    async fn give_access(&self, mut args: GiveAccess) -> Result<People, Refusal> {
        self.blocking(move |inner| {
            let done = inner.give_access(&args);
            args.pin.zeroize();
            done
        })
        .await
    }
}
