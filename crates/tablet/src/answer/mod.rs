//! The page's commands, answered. Access is judged before any of this runs; the work is done off the async threads.

pub(crate) mod access;
mod entries;
mod events;
pub(crate) mod help;
#[cfg(test)]
mod help_tests;
pub(crate) mod state;
#[cfg(test)]
mod tests;
mod ward;

use crate::file::lock;
use crate::session::SignedIn;
use crate::tablet::{Inner, Tablet};
use lamplight_domain::commands::*;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::views::{Board, Locked, PatientDay};
use serde_json::Value;

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
        access::may(command.access(), self.0.state())?;
        if !BY_ITSELF.contains(&command) {
            self.0.touch();
        }
        let args = if args.is_null() { Value::Object(Default::default()) } else { args };
        dispatch(self, command, args).await
    }

    /// Locks now. Half-made entries stay with their author.
    pub fn lock(&self) {
        self.0.lock();
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
    fn state(&self) -> access::State {
        let joined = self.identity().is_some();
        access::State { joined, signed_in: self.session().map(|s| s.role) }
    }

    /// Who is signed in now, the idle lock applied.
    pub fn session(&self) -> Option<SignedIn> {
        let limit = self.roster().map(|r| r.settings.idle_lock_seconds)?;
        let session = (*lock(&self.session))?;
        if session.is_idle(self.clock.read(), limit) {
            tracing::info!("locked: nobody was here");
            self.lock();
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

    fn lock(&self) {
        if lock(&self.session).take().is_some() {
            self.changed();
        }
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
        self.0.lock();
        Ok(Nothing {})
    }
    async fn touch(&self, _: Nothing) -> Result<Nothing, Refusal> {
        Ok(Nothing {})
    }
    async fn board(&self, _: Nothing) -> Result<Board, Refusal> {
        self.blocking(Inner::board_with_help).await
    }
    async fn pad(&self, args: OfStay) -> Result<Pad, Refusal> {
        self.blocking(move |inner| inner.pad(args.stay)).await
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
        self.blocking(move |inner| inner.day(args.stay, args.date.as_deref())).await
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
}
