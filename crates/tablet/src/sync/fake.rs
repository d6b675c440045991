//! A facility server in memory, for the logic of push and pull only; the tests over real HTTPS live with the server.

use crate::file::lock;
use crate::testing::{facility, facility_key, roster};
use lamplight_domain::chain::{
    Credential, Endorser, Hash, Head, PublicKey, Receipt, body_hash, feed_hash, link_hash, verify,
};
use lamplight_domain::ids::{AuthorId, RecordId, WardId};
use lamplight_domain::record::Body;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::{Tablet, Ward};
use lamplight_domain::time::Ms;
use lamplight_domain::wire::*;
use std::collections::HashMap;
use std::sync::Mutex;
use uuid::Uuid;

#[derive(Default)]
pub struct FakeFacility(pub Mutex<State>);

#[derive(Clone, Default)]
pub struct State {
    pub keys: HashMap<AuthorId, PublicKey>,
    /// Link hashes of each author, the first at 0.
    pub chains: HashMap<AuthorId, Vec<Hash>>,
    pub bodies: HashMap<Hash, Vec<u8>>,
    /// Row n at n - 1, with the feed's hash after it.
    pub feed: Vec<(FeedRow, Hash, Hash)>,
    pub generation: u128,
    pub time: i64,
    /// Requests before one is cut: None cuts none. A cut push is committed, and its answer lost.
    pub cut_after: Option<u32>,
    /// Its answers are to another request than the one that was made.
    pub answers_old_requests: bool,
    /// Signs with another key.
    pub is_forger: bool,
    pub batches: Vec<(u64, usize, bool)>,
    /// What it says of its last backup.
    pub backed_up: Option<Ms>,
    /// The readers' ward by the roster, where it is not the first one; its feed is empty.
    pub moved_to: Option<WardId>,
    pub revoked: bool,
    /// What was asked for, in order.
    pub asked: Vec<&'static str>,
    /// Come with every page.
    pub heads: Vec<HeadShown>,
}

impl State {
    pub fn head(&self, author: AuthorId) -> Option<Head> {
        let chain = self.chains.get(&author)?;
        Some(chain.last().map_or(Head::empty(author), |h| Head { author, seq: chain.len() as u64, hash: *h }))
    }
    pub fn add(&mut self, author: AuthorId, seq: u64, bytes: &[u8]) {
        let hash = body_hash(bytes);
        if self.bodies.insert(hash, bytes.to_vec()).is_some() {
            return;
        }
        // No ward's feed has it.
        if Body::parse(bytes).is_ok_and(|body| body.envelope.ward == WardId::FACILITY) {
            return;
        }
        let n = self.feed.len() as u64 + 1;
        let id = Body::parse(bytes).map_or(RecordId(Uuid::nil()), |b| b.envelope.id);
        let before = self.feed.last().map_or(Hash::ZERO, |f| f.2);
        let row = FeedRow { n, author, seq, received_at: Ms(self.time), flags: vec![] };
        self.feed.push((row, hash, feed_hash(&before, n, id, &hash)));
    }
    fn take(&mut self, batch: &Batch) -> Option<PushRefused> {
        let header = &batch.header;
        let author = header.author;
        if let Some(credential) = &header.credential {
            if !self.vouched(credential) {
                return Some(PushRefused::BadCredential);
            }
            self.keys.insert(author, credential.key);
            self.chains.entry(author).or_default();
        }
        let Some(key) = self.keys.get(&author).copied() else { return Some(PushRefused::UnknownAuthor) };
        let mut at = Head { author, seq: header.first_seq - 1, hash: header.prev };
        let mut hashes = Vec::new();
        for blob in &batch.bodies {
            at = Head { seq: at.seq + 1, hash: link_hash(author, at.seq + 1, &at.hash, &blob.hash()), ..at };
            hashes.push((at.seq, at.hash, blob));
        }
        if !verify(&key, &at.message(facility()), &header.signature) {
            return Some(PushRefused::BadSignature);
        }
        let chain = &self.chains[&author];
        let held = |seq: u64| if seq == 0 { Some(Hash::ZERO) } else { chain.get(seq as usize - 1).copied() };
        if held(header.first_seq - 1) != Some(header.prev) {
            return Some(PushRefused::DoesNotAttach);
        }
        if hashes.iter().any(|(seq, hash, _)| held(*seq).is_some_and(|h| h != *hash)) {
            return Some(PushRefused::DoesNotAttach);
        }
        let lacks = |blob: &Blob| matches!(blob, Blob::Held(hash) if !self.bodies.contains_key(hash));
        if hashes.iter().any(|(seq, _, blob)| held(*seq).is_none() && lacks(blob)) {
            return Some(PushRefused::BodyMissing);
        }
        for (seq, hash, blob) in hashes {
            if seq as usize > self.chains[&author].len() {
                self.chains.entry(author).or_default().push(hash);
                if let Blob::Bytes(bytes) = blob {
                    self.add(author, seq, bytes);
                }
            }
        }
        None
    }
    fn vouched(&self, credential: &Credential) -> bool {
        let endorser = match credential.endorser {
            Endorser::Facility => Some(facility_key().public()),
            Endorser::Author(author) => self.keys.get(&author).copied(),
        };
        endorser.is_some_and(|key| credential.holds(&key))
    }
    fn cursor(&self, n: usize) -> Cursor {
        let hash = if n == 0 { Hash::ZERO } else { self.feed[n - 1].2 };
        Cursor { generation: Uuid::from_u128(self.generation), n: n as u64, hash, mac: None }
    }
    fn of_other_ward(&self, ask: &FeedAsk, ward: WardId) -> Result<FeedPage, Trouble> {
        if ask.ward != ward && ask.ward != OWN_WARD {
            return Err(Refusal::new("ward.not_yours", "This tablet does not belong there.", "Ask a nurse.").into());
        }
        let mut roster = roster();
        roster.version = 2;
        roster.wards.push(Ward { id: ward, name: "Oak Ward".into(), beds: vec![] });
        roster.tablets.push(Tablet {
            id: crate::testing::identity(1).tablet,
            name: "W-1".into(),
            ward,
            revoked: false,
        });
        let header = FeedHeader {
            rows: vec![],
            next: FeedNext::Cursor(Cursor { n: 0, hash: Hash::ZERO, ..self.cursor(0) }),
            more: false,
            roster: (ask.roster_version != 2).then_some(roster),
            contacts: vec![],
            server_time: Ms(self.time),
            backed_up: None,
            began_with: None,
            digest: None,
            heads: vec![],
            trust: None,
            request: ask.request,
        };
        Ok(FeedPage { header, bodies: vec![] })
    }
    /// The question that an answer names.
    fn asked_with(&self, request: Uuid) -> Uuid {
        if self.answers_old_requests { Uuid::from_u128(1) } else { request }
    }
    fn is_cut(&mut self) -> bool {
        match &mut self.cut_after {
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        }
    }
}

fn cut() -> Trouble {
    Trouble::Unreachable("cut".into())
}

impl Facility for FakeFacility {
    async fn hello(&self) -> Result<HelloAnswer, Trouble> {
        let mut state = lock(&self.0);
        if state.is_cut() {
            return Err(cut());
        }
        Ok(HelloAnswer {
            protocol_min: PROTOCOL,
            protocol_max: PROTOCOL,
            facility: facility(),
            facility_key: facility_key().public(),
            server_time: Ms(state.time),
            nonce: "n".into(),
            successions: vec![],
        })
    }
    async fn join(&self, _: JoinAsk) -> Result<Joined, Trouble> {
        Err(cut())
    }
    async fn push(&self, batch: Batch) -> Result<PushAnswer, Trouble> {
        let mut state = lock(&self.0);
        let header = &batch.header;
        state.asked.push("push");
        state.batches.push((header.first_seq, batch.bodies.len(), header.credential.is_some()));
        let refused = state.take(&batch);
        if state.is_cut() {
            return Err(cut());
        }
        let key = if state.is_forger { crate::identity::Secret([1; 32]) } else { crate::identity::Secret([9; 32]) };
        let key = lamplight_domain::chain::SigningKey::from_seed(&key.0);
        let request = if state.answers_old_requests { Uuid::nil() } else { header.request };
        let receipt =
            state.head(header.author).map(|head| Receipt::sign(&key, facility(), head, Ms(state.time), request));
        Ok(PushAnswer { receipt, refused, server_time: Ms(state.time) })
    }
    async fn feed(&self, ask: FeedAsk) -> Result<FeedPage, Trouble> {
        let mut state = lock(&self.0);
        state.asked.push("feed");
        if state.is_cut() {
            return Err(cut());
        }
        if state.revoked {
            return Err(Refusal::new("tablet.revoked", "This tablet was taken out of use.", "Give it back.").into());
        }
        if let Some(ward) = state.moved_to {
            return state.of_other_ward(&ask, ward);
        }
        let by_cursor = matches!(ask.from, FeedFrom::Cursor(_));
        let from = match ask.from {
            FeedFrom::Cursor(c) if c.n as usize <= state.feed.len() && c == state.cursor(c.n as usize) => c.n as usize,
            FeedFrom::Cursor(c) if c.generation == Uuid::from_u128(state.generation) => {
                state.generation += 1;
                0
            }
            _ => 0,
        };
        let to = (from + ask.limit as usize).min(state.feed.len());
        let rows = &state.feed[from..to];
        let header = FeedHeader {
            rows: rows.iter().map(|r| r.0.clone()).collect(),
            next: FeedNext::Cursor(state.cursor(to)),
            more: to < state.feed.len(),
            roster: (ask.roster_version != 1).then(roster),
            contacts: vec![],
            server_time: Ms(state.time),
            backed_up: state.backed_up,
            began_with: None,
            digest: None,
            heads: state.heads.clone(),
            trust: None,
            request: state.asked_with(ask.request),
        };
        // As the server does: what the reader itself sent comes as its hash.
        let is_own = |author| ask.own_by_hash && by_cursor && author == ask.author;
        let blob = |r: &(FeedRow, Hash, Hash)| match is_own(r.0.author) {
            true => Blob::Held(r.1),
            false => Blob::Bytes(state.bodies[&r.1].clone()),
        };
        let bodies = rows.iter().map(blob).collect();
        Ok(FeedPage { header, bodies })
    }
    async fn offer(&self, ask: OfferAsk) -> Result<OfferAnswer, Trouble> {
        let mut state = lock(&self.0);
        if state.is_cut() {
            return Err(cut());
        }
        let lacks = ask.bodies.into_iter().filter(|h| !state.bodies.contains_key(h)).collect();
        Ok(OfferAnswer { lacks, request: state.asked_with(ask.request) })
    }
}
