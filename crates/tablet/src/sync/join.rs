//! Joining a facility with an invite. The key is made, and durable, before the server is asked: a lost answer is met
//! by asking again with the same key.

use super::client::{Client, leads_to, not_the_server};
use crate::contact::Exchange;
use crate::failpoint::failpoint;
use crate::file::{identity, lock};
use crate::identity::{Identity, OwnAuthor, Secret};
use crate::tablet::{Inner, Tablet};
use lamplight_domain::chain::{Endorser, SigningKey};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::wire::{Facility, HelloAnswer, Invite, JoinAsk, Joined, Trouble};

impl Tablet {
    /// Enrols this tablet, then reads its ward's feed as far as the network allows.
    ///
    /// `name` is the wanted name; empty lets the server choose. Errors: "invite.unreadable", "join.already",
    /// "server.unreachable", "server.not_the_facility", "server.busy", and the server's own ("invite.expired", …).
    pub async fn join(&self, invite: &str, name: &str) -> Result<(), Refusal> {
        let invite: Invite = invite.parse()?;
        let client = Client::of_invite(&invite, self.0.clock.clone()).map_err(in_words)?;
        self.join_over(&client, &invite, name).await?;
        if let Err(trouble) = self.sync_now().await {
            tracing::info!(%trouble, "joined, but the ward was not read yet");
        }
        Ok(())
    }

    /// The same by another way to the facility than HTTPS, and without reading the feed. Errors: as above.
    pub async fn join_over<F: Facility>(&self, facility: &F, invite: &Invite, name: &str) -> Result<(), Refusal> {
        if self.0.is_handed_over() {
            return Err(Refusal::new(
                "tablet.handed_over",
                "This tablet was taken out of use a moment ago.",
                "Start Lamplight again, then join it as a new tablet.",
            ));
        }
        if self.0.identity().is_some() {
            return Err(Refusal::new(
                "join.already",
                "This tablet has joined a facility already.",
                "Use it as it is; to move it, have it set up anew by whoever looks after the tablets.",
            ));
        }
        let seed = self.0.blocking(|inner| inner.joining_key().map_err(Trouble::Refused)).await.map_err(in_words)?;
        failpoint!("join.key-kept");
        let key = SigningKey::from_seed(&seed.0);
        let asked = self.0.clock.read();
        let hello = facility.hello().await.map_err(in_words)?;
        let exchange = Exchange { asked, answered: self.0.clock.read(), server: hello.server_time, waited: false };
        let proof = key.sign(&JoinAsk::message(&invite.code));
        let ask = JoinAsk { code: invite.code.clone(), key: key.public(), proof, name: name.trim().to_owned() };
        let joined = facility.join(ask).await.map_err(in_words)?;
        failpoint!("join.answered");
        if !is_for(&joined, invite, &hello, &key) {
            return Err(in_words(not_the_server("its credential does not hold")));
        }
        let device_secret = Secret::random(&*self.0.chance)?;
        let identity = identity_of(invite, &hello, &joined, seed, device_secret);
        let roster = joined.roster;
        let keep = move |inner: &Inner| {
            let mut hand = lock(&inner.pen);
            // The roster first: a tablet that is somebody can record, also after a cut in between and without a network.
            inner.keep_roster(&identity, roster)?;
            failpoint!("join.roster-kept");
            inner.set_identity(identity).map_err(super::push::local)?;
            *hand = inner.pick_up().map_err(super::push::local)?;
            drop(hand);
            inner.heard(&exchange);
            inner.changed();
            Ok(())
        };
        self.0.blocking(keep).await.map_err(in_words)?;
        tracing::info!(tablet = %joined.tablet, "joined");
        Ok(())
    }
}

impl Inner {
    fn joining_key(&self) -> Result<Secret, Refusal> {
        if let Some(seed) = self.identity_file.read(identity::joining)? {
            return Ok(seed);
        }
        let seed = Secret::random(&*self.chance)?;
        self.identity_file.write(|to| identity::set_joining(to, &seed))?;
        Ok(seed)
    }
}

/// The facility's key is the one that it showed, to which the invite's led.
fn is_for(joined: &Joined, invite: &Invite, hello: &HelloAnswer, key: &SigningKey) -> bool {
    let credential = &joined.credential;
    let said = joined.trust.as_ref();
    said.is_none_or(|said| said.authorities(&hello.facility_key, invite.facility).is_some())
        && leads_to(&invite.facility_key, hello).is_ok()
        && joined.facility_key == hello.facility_key
        && credential.facility == invite.facility
        && credential.key == key.public()
        && credential.tablet == Some(joined.tablet)
        && credential.endorser == Endorser::Facility
        && credential.holds(&hello.facility_key)
}

fn identity_of(invite: &Invite, hello: &HelloAnswer, joined: &Joined, seed: Secret, device_secret: Secret) -> Identity {
    Identity {
        facility: invite.facility,
        facility_key: hello.facility_key,
        successions: hello.known_successions(),
        url: invite.url.clone(),
        ca_pem: joined.ca_pem.clone(),
        tablet: joined.tablet,
        name: joined.name.clone(),
        ward: joined.ward,
        device_secret,
        joined_at: hello.server_time,
        trust: joined.trust.clone(),
        renewed: None,
        authors: vec![OwnAuthor { seed, credential: joined.credential.clone() }],
    }
}

fn in_words(trouble: Trouble) -> Refusal {
    match trouble {
        Trouble::Refused(refusal) => refusal,
        Trouble::Unreachable(why) => Refusal::new(
            "server.unreachable",
            format!("The facility server cannot be reached: {why}."),
            "Check that this tablet is on the facility's network, then try again.",
        ),
        Trouble::NotTheServer(why) => Refusal::new(
            "server.not_the_facility",
            format!("What answers is not the facility server of this invite: {why}."),
            "Check the network, such as a login page, and the invite; then try again.",
        ),
        Trouble::Busy { .. } => Refusal::new("server.busy", "The facility server is busy.", "Try again in a minute."),
    }
}
