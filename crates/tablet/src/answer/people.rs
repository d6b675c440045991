//! What a charge nurse does about this tablet's people: lets somebody in again, gives access for a shift.

use crate::file::pins::{self, SealedPin};
use crate::file::{guests, pin_tries};
use crate::identity::Identity;
use crate::known::with_guests;
use crate::record::{Entry, join_first, no_roster};
use crate::sign_in::{TRIES_MAX, argon2id};
use crate::tablet::Inner;
use crate::words;
use lamplight_domain::commands::{GiveAccess, OnePerson, People};
use lamplight_domain::ids::StaffId;
use lamplight_domain::kinds::{AccessGiven, Act, Audit, Event};
use lamplight_domain::pin;
use lamplight_domain::record::Auth;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::{PinVerifier, Role, Staff};
use lamplight_domain::time::{HOUR_MS, Ms};
use lamplight_domain::wire::{GivenPin, KEEP_MS};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Access that ended is shown for so long.
const SHOWN_MS: i64 = 24 * HOUR_MS;
/// Of a name or number.
const NAME_MAX_CHARS: usize = 60;

impl Inner {
    pub(super) fn people(&self) -> Result<People, Refusal> {
        let (roster, now) = (self.roster().ok_or_else(no_roster)?, self.now().best());
        let ward = self.identity().ok_or_else(join_first)?.ward;
        let zone = words::zone(Some(&roster));
        let at = |at| words::clock_and_day(at, now, zone);
        let tried = self.identity_file.read(|from| pin_tries::at_least(from, TRIES_MAX))?;
        let locked_out = tried.into_iter().filter_map(|(staff, tries)| {
            let person = roster.person(staff)?;
            let (role, count, last) = (person.role.words(), tries.count, at(tries.at.wall));
            Some(one(person, format!("{role}, {count} wrong PINs, the last {last}")))
        });
        let locked_out = locked_out.collect();
        let is_shown = |p: &&Staff| p.wards.contains(&ward) && p.until.is_some_and(|until| now - until < SHOWN_MS);
        let mut guests: Vec<&Staff> = roster.staff.iter().filter(is_shown).collect();
        guests.sort_by_key(|p| (std::cmp::Reverse(p.until), p.id));
        let until = |p: &&Staff| p.until.map(|until| until_words(until, now, zone)).unwrap_or_default();
        let guests = guests.iter().map(|p| one(p, until(p))).collect();
        Ok(People { locked_out, guests, hours_max: GiveAccess::HOURS_MAX })
    }

    /// Errors: "role.not_allowed", "staff.unknown".
    pub(super) fn let_in(&self, staff: StaffId) -> Result<People, Refusal> {
        let by = self.charge_nurse()?;
        let is_known = self.roster().is_some_and(|roster| roster.person(staff).is_some());
        if !is_known {
            return Err(crate::sign_in::unknown());
        }
        self.identity_file.write(|to| pin_tries::forget(to, staff))?;
        self.audit(Some(by), Audit { staff: Some(staff), ..Audit::of(Act::LockLifted) });
        self.people()
    }

    /// Blocks for the time of one Argon2id. The record first: access that nobody else hears of is worse than a record of
    /// access that has to be given once more.
    ///
    /// Errors: "role.not_allowed", "access.name", "access.hours", "access.given_already", "pin.digits", "pin.weak", and
    /// those of a recording.
    pub(super) fn give_access(&self, ask: &GiveAccess) -> Result<People, Refusal> {
        let by = self.charge_nurse()?;
        let identity = self.identity().ok_or_else(join_first)?;
        let [family, given, number] = [&ask.family, &ask.given, &ask.number].map(|text| text.trim().to_owned());
        for text in [&family, &given, &number] {
            if text.is_empty() || text.chars().count() > NAME_MAX_CHARS {
                return Err(Refusal::new(
                    "access.name",
                    "Both names are needed, and how the person is known where they come from.",
                    format!("Fill in all three, each up to {NAME_MAX_CHARS} characters."),
                ));
            }
        }
        if !(1..=GiveAccess::HOURS_MAX).contains(&ask.hours) {
            return Err(Refusal::new(
                "access.hours",
                format!("Access is given for 1 to {} hours.", GiveAccess::HOURS_MAX),
                "Choose how long the shift is; whoever stays for good is added at the station.",
            ));
        }
        pin::may_be_set(&ask.pin)?;
        let now = self.now().best();
        let is_same = |p: &Staff| (&p.family, &p.given, &p.number) == (&family, &given, &number);
        let roster = self.roster().ok_or_else(no_roster)?;
        if roster.staff.iter().any(|p| is_same(p) && roster.working(p.id, now).is_some()) {
            return Err(Refusal::new(
                "access.given_already",
                "This person can sign in already.",
                "Look for their name on the locked screen.",
            ));
        }
        let staff = StaffId(self.new_id(self.clock.read().wall)?.0);
        let until = now + i64::from(ask.hours) * HOUR_MS;
        let mut salt = [0; 16];
        (self.chance)(&mut salt)?;
        let verifier = PinVerifier { salt, argon2id: *argon2id(&ask.pin, &salt)? };
        let sealed = pins::sealed(&identity.device_secret.0, staff, &verifier.argon2id);
        let event = Event::AccessGiven(AccessGiven {
            staff,
            family: family.clone(),
            given: given.clone(),
            number: number.clone(),
            until,
            pin: self.for_the_facility(&identity, staff, &verifier)?,
        });
        self.record(Entry { by: Some(by), auth: Auth::Pin, stay: None, id: None, event, observed_at: None })?;
        let wards = vec![identity.ward];
        let (role, until) = (Role::Technician, Some(until));
        let guest = Staff { id: staff, family, given, number, role, wards, active: true, until, pin: None };
        let kept = self.identity_file.write(|to| {
            guests::forget_before(to, now - KEEP_MS)?;
            guests::put(to, &guest, until.unwrap_or(now), &SealedPin { salt, sealed })
        });
        kept.map_err(|broken| {
            tracing::error!(?broken, "a guest's PIN could not be kept");
            Refusal::new(
                "access.not_kept",
                "It was written down, but this tablet could not keep the PIN, so the person cannot sign in here.",
                "Try again, or on another tablet.",
            )
        })?;
        {
            let mut known = self.known_mut();
            let roster = known.roster.take().map(|roster| Arc::new(with_guests(&roster, vec![guest])));
            known.roster = roster;
        }
        self.changed();
        self.people()
    }

    /// The PIN for the ward's other tablets, by way of the facility; None where it has not said what to seal to.
    fn for_the_facility(
        &self,
        identity: &Identity,
        staff: StaffId,
        pin: &PinVerifier,
    ) -> Result<Option<GivenPin>, Refusal> {
        let Some(to) = identity.trust.as_ref().map(|trust| trust.encryption_key) else { return Ok(None) };
        let mut fresh = Zeroizing::new([0; 32]);
        (self.chance)(fresh.as_mut())?;
        Ok(GivenPin::seal(identity.facility, staff, to, pin, &fresh))
    }

    /// Whoever is signed in, where the roster has them as a charge nurse of today: who was taken off the list meanwhile
    /// goes on looking after patients until the tablet locks, and lets nobody in.
    fn charge_nurse(&self) -> Result<StaffId, Refusal> {
        let session = self.signed_in()?;
        let (roster, now) = (self.roster().ok_or_else(no_roster)?, self.now().best());
        match roster.working(session.staff, now) {
            Some(person) if person.role == Role::ChargeNurse => Ok(session.staff),
            _ => Err(Refusal::new(
                "role.not_allowed",
                "The station's staff list does not have you as a charge nurse any more.",
                "Ask a charge nurse.",
            )),
        }
    }
}

fn one(person: &Staff, words: String) -> OnePerson {
    OnePerson { staff: person.id, name: format!("{}, {}", person.short(), person.number), words }
}

fn until_words(until: Ms, now: Ms, zone: chrono_tz::Tz) -> String {
    let at = words::clock_and_day(until, now, zone);
    if now < until { format!("until {at}") } else { format!("ended {at}") }
}
