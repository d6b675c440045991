//! Receiving: a page of the ward's feed and the cursor after it are committed together.

use super::client::not_the_server;
use super::offer;
use super::push::{Pushing, local};
use super::witness;
use crate::contact::Exchange;
use crate::failpoint::failpoint;
use crate::file::{bodies, feeds, guests, held, kept, lock, meta, pins, roster};
use crate::identity::Identity;
use crate::known::{CONTACTS, IN_MEMORY_MS, Known, with_guests};
use crate::tablet::{CONTACT, Inner, ROSTER};
use crate::trouble;
use lamplight_domain::chain::{Hash, feed_hash};
use lamplight_domain::ids::RecordId;
use lamplight_domain::kinds::Event;
use lamplight_domain::record::{Body, Record};
use lamplight_domain::roster::Roster;
use lamplight_domain::time::{MINUTE_MS, Ms};
use lamplight_domain::wire::{
    Blob, ContactMark, Cursor, Facility, FeedAsk, FeedFrom, FeedNext, FeedPage, FeedRow, Trouble,
};
use std::sync::Arc;
use uuid::Uuid;

/// Rows of one page: a recording waits for one page's commit at most.
const PAGE_ROWS: u32 = 1_000;
/// The file says at least this often when the last contact was.
const CONTACT_STORED_EVERY_MS: i64 = MINUTE_MS;

/// A row of a page with its body, hashed and read once. No body where it was pruned.
struct Row {
    row: FeedRow,
    hash: Hash,
    bytes: Option<Vec<u8>>,
    body: Option<Body>,
}

impl Row {
    fn of(row: FeedRow, blob: Blob) -> Row {
        let hash = blob.hash();
        let bytes = if let Blob::Bytes(bytes) = blob { Some(bytes) } else { None };
        let body = bytes.as_deref().and_then(|b| Body::parse(b).ok());
        Row { row, hash, bytes, body }
    }
    /// As the feed's hash names it.
    fn id(&self) -> RecordId {
        self.body.as_ref().map_or(RecordId(Uuid::nil()), |b| b.envelope.id)
    }
}

/// What a page brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulled {
    pub rows: u64,
    /// Ask again at once.
    pub more: bool,
    /// The server stands where this tablet would not expect it: ask where the own chain stands.
    pub ask_heads: bool,
}

/// A page as it came, and what it answers.
pub struct Fetched {
    ask: FeedAsk,
    /// Own links that were confirmed when it was asked for.
    confirmed: u64,
    exchange: Exchange,
    page: FeedPage,
}

impl Inner {
    /// One page of the own ward's feed; waits at the server up to `wait_ms` for news. While it is taken in, the one
    /// after it is fetched into `ahead`, where there is one.
    pub async fn pull_page<F: Facility + Sync>(
        self: &Arc<Self>,
        facility: &F,
        wait_ms: u32,
        ahead: &mut Option<Fetched>,
    ) -> Result<Pulled, Trouble> {
        let ask = self.blocking(move |inner| inner.feed_ask(wait_ms)).await?;
        let is_next = |there: &Fetched| (&there.ask.from, there.ask.author) == (&ask.from, ask.author);
        let Fetched { ask, confirmed, exchange, page } = match ahead.take().filter(is_next) {
            Some(fetched) => fetched,
            None => match self.fetch(facility, ask.clone()).await {
                Err(Trouble::Refused(refusal)) if refusal.code == "ward.not_yours" => {
                    return self.follow_a_move(facility, ask, refusal).await;
                }
                Err(Trouble::Refused(refusal)) if refusal.code == trouble::REVOKED => {
                    let told = self.blocking(|inner| {
                        inner.note_revoked(true);
                        Ok(())
                    });
                    told.await?;
                    // All that it holds, asked for anew: nothing is let go before the server has confirmed it now. While
                    // a batch is under way that is a later contact's: whoever listens does not wait for it.
                    if self.sending.try_lock().is_ok() {
                        self.push_all(facility, &mut Pushing::default(), true).await?;
                        self.blocking(|inner| inner.hand_over().map_err(Trouble::Refused)).await?;
                    }
                    return Err(Trouble::Refused(refusal));
                }
                fetched => fetched?,
            },
        };
        let after = after(&ask, &page);
        let taken = self.blocking(move |inner| {
            inner.heard(&exchange);
            inner.note_revoked(false);
            let mut pulled = inner.take_page(&ask.from, page)?;
            let tablet = inner.identity().map(|i| i.tablet);
            let mark = inner.known().contacts.iter().find(|c| Some(c.tablet) == tablet).map(|c| c.confirmed);
            pulled.ask_heads |= mark.is_some_and(|there| there < confirmed);
            Ok(pulled)
        });
        let next = async { self.fetch(facility, after?).await.ok() };
        let (pulled, next) = tokio::join!(taken, next);
        *ahead = next;
        pulled
    }

    async fn fetch<F: Facility + Sync>(self: &Arc<Self>, facility: &F, ask: FeedAsk) -> Result<Fetched, Trouble> {
        let (asked, confirmed) = (self.clock.read(), self.sync_state().confirmed);
        let page = self.page_of(facility, ask.clone()).await?;
        let page = match self.blocking(move |inner| inner.with_own_bodies(page)).await? {
            Some(page) => page,
            // Own bodies are gone from here (a damaged file, pruning): this page once more, whole.
            None => self.page_of(facility, FeedAsk { own_by_hash: false, wait_ms: 0, ..ask.clone() }).await?,
        };
        let (answered, server) = (self.clock.read(), page.header.server_time);
        let exchange = Exchange { asked, answered, server, waited: ask.wait_ms > 0 };
        Ok(Fetched { ask, confirmed, exchange, page })
    }

    /// The answer to this very question: one that a proxy kept, or mixed up, would move the cursor past what was never
    /// read.
    pub(super) async fn page_of<F: Facility + Sync>(
        self: &Arc<Self>,
        facility: &F,
        ask: FeedAsk,
    ) -> Result<FeedPage, Trouble> {
        let request = self.request_id().map_err(Trouble::Refused)?;
        let page = facility.feed(FeedAsk { request, ..ask }).await?;
        answers(request, page.header.request)?;
        Ok(page)
    }

    fn feed_ask(&self, wait_ms: u32) -> Result<FeedAsk, Trouble> {
        let join_first = || Trouble::Refused(crate::record::join_first());
        let identity = self.identity().ok_or_else(join_first)?;
        let author = identity.author().ok_or_else(join_first)?.credential.author;
        let from = self.records.read(|db| feeds::next(db, identity.ward)).map_err(local)?;
        let roster_version = match &*self.known() {
            known if known.lacks_pins => 0,
            known => known.roster.as_ref().map_or(0, |r| r.version),
        };
        let (ward, name) = (identity.ward, identity.name.clone());
        let trust = Some(identity.trust.as_ref().map_or(Ms(0), |said| said.since));
        Ok(FeedAsk {
            author,
            ward,
            from,
            limit: PAGE_ROWS,
            wait_ms,
            roster_version,
            name,
            own_by_hash: true,
            trust,
            request: Uuid::nil(),
        })
    }

    /// The page with the bodies that the server only named; None where not all of them are here.
    fn with_own_bodies(&self, mut page: FeedPage) -> Result<Option<FeedPage>, Trouble> {
        let fill = |from: &rusqlite::Connection| {
            for blob in &mut page.bodies {
                if let Blob::Held(hash) = blob {
                    let Some(bytes) = bodies::bytes(from, hash)? else { return Ok(false) };
                    *blob = Blob::Bytes(bytes);
                }
            }
            Ok(true)
        };
        let is_whole = self.records.read(fill).map_err(local)?;
        Ok(is_whole.then_some(page))
    }

    pub(super) fn take_page(&self, from: &FeedFrom, page: FeedPage) -> Result<Pulled, Trouble> {
        let identity = self.identity().ok_or_else(|| Trouble::Refused(crate::record::join_first()))?;
        let FeedPage { mut header, bodies } = page;
        if header.rows.len() != bodies.len() {
            return Err(not_the_server("its page is not whole"));
        }
        let rows: Vec<Row> =
            std::mem::take(&mut header.rows).into_iter().zip(bodies).map(|(r, b)| Row::of(r, b)).collect();
        // An opening's rows follow no cursor, so nothing else would show that one of them was bent on the way.
        if header.digest.is_some() && header.digest != FeedPage::digest(rows.iter().map(|r| (&r.row, r.hash))) {
            return Err(not_the_server("its page was changed on the way"));
        }
        if let Some(trust) = header.trust.take() {
            self.take_trust(trust)?;
        }
        if let Some(roster) = header.roster.take() {
            self.take_roster(roster)?;
        }
        let next = match header.next {
            FeedNext::Opening(mark) => FeedFrom::OpeningNext(mark),
            FeedNext::Cursor(cursor) => FeedFrom::Cursor(cursor),
        };
        if let (FeedFrom::Cursor(before), FeedNext::Cursor(after)) = (from, header.next)
            && before.generation == after.generation
            && !follows(before, &after, &rows)
        {
            // What was read and what the server says do not fit: read it all again, from the opening.
            tracing::warn!("the feed does not follow its cursor; reading it from the opening");
            self.records.write(|to| feeds::set(to, identity.ward, &FeedFrom::Opening, None)).map_err(local)?;
            return Ok(Pulled { rows: 0, more: true, ask_heads: true });
        }
        // Of a ward that it was on before, and has pruned since, what stands is read again.
        let is_answered = matches!((from, header.next), (FeedFrom::Cursor(_), FeedNext::Cursor(_)));
        let is_to_open = self.records.read(|db| feeds::is_to_open(db, identity.ward)).map_err(local)?;
        let next = if is_to_open && is_answered { FeedFrom::Opening } else { next };
        let generation = match header.next {
            FeedNext::Opening(mark) => mark.end.generation,
            FeedNext::Cursor(cursor) => cursor.generation,
        };
        let contacts_changed = self.known().contacts != header.contacts;
        let contact = lock(&self.contact).clone();
        let is_stale = contact.last.zip(contact.stored).is_none_or(|(last, at)| last - at >= CONTACT_STORED_EVERY_MS);
        // A cursor that the server does not know is answered with the opening.
        let mut ask_heads = matches!((from, header.next), (FeedFrom::Cursor(_), FeedNext::Opening(_)));
        if !rows.is_empty() || next != *from || is_stale {
            let taken = self
                .records
                .write(|to| {
                    // The file was begun anew while the question was under way: this page is not its next one.
                    if feeds::next(to, identity.ward)? != *from {
                        return Ok(None);
                    }
                    let feed = feeds::read_in(to, identity.ward, generation)?;
                    witness::keep(to, &identity, &header.heads)?;
                    for Row { row, hash, bytes, body } in &rows {
                        if let Some(bytes) = bytes {
                            bodies::insert_read(to, hash, bytes, body.as_ref())?;
                        }
                        held::note(to, row, hash, Some(feed))?;
                    }
                    let went_back = offer::notice(to, &header.next, header.began_with)?;
                    feeds::set(to, identity.ward, &next, header.backed_up)?;
                    if is_to_open {
                        feeds::opens(to, identity.ward)?;
                    }
                    kept::read(to, identity.ward, from, &header.next, header.more, header.server_time)?;
                    meta::set(to, CONTACTS, &header.contacts)?;
                    meta::set(to, CONTACT, &contact)?;
                    failpoint!("page.written");
                    Ok(Some(went_back))
                })
                .map_err(local)?;
            failpoint!("page.committed");
            let Some(went_back) = taken else { return Ok(Pulled { rows: 0, more: true, ask_heads: true }) };
            ask_heads |= went_back;
            lock(&self.contact).stored = contact.last;
            self.double_silence();
        }
        let count = rows.len() as u64;
        let unreadable = self.take_in(rows, header.contacts);
        if unreadable > 0 {
            self.count_unreadable(unreadable);
        }
        if count > 0 || contacts_changed {
            self.changed();
        }
        Ok(Pulled { rows: count, more: header.more || next == FeedFrom::Opening, ask_heads })
    }

    /// Into memory. Returns how many bodies could not be read.
    fn take_in(&self, rows: Vec<Row>, contacts: Vec<ContactMark>) -> u64 {
        let now = self.now();
        let before = now.best() - IN_MEMORY_MS;
        let mut known = self.known_mut();
        known.contacts = contacts;
        let (mut unreadable, mut old) = (0, false);
        for Row { row, hash, bytes, body } in rows {
            match body {
                // In no board: it is not kept in memory, whoever's it is.
                Some(Body { event: Some(Event::Audit(_)), .. }) => {}
                Some(body) => {
                    old |= body.envelope.observed_at < before;
                    let received_at = Some(row.received_at);
                    known.records.take(Record { body, hash, author: row.author, seq: row.seq, received_at });
                }
                None => unreadable += u64::from(bytes.is_some()),
            }
        }
        // A backlog's weeks do not stay in memory: they are read from the file when a day is looked at.
        if old && let Some(roster) = known.roster.clone() {
            known.records.forget_before(before, &roster, now);
        }
        unreadable
    }

    fn count_unreadable(&self, more: u64) {
        let name = "unreadable";
        let count = self.records.write(|to| {
            let count = meta::get::<u64>(to, name)?.unwrap_or(0) + more;
            meta::set(to, name, &count)?;
            Ok(count)
        });
        tracing::warn!(more, "records from the feed cannot be read; kept as they are");
        self.set_trouble(true, trouble::unreadable(count.unwrap_or(more)));
    }

    /// Stores a roster that differs from ours, also an older one: a restored server knows no newer, and it decides.
    /// Its PIN verifiers are sealed to this device first.
    pub fn take_roster(&self, roster: Roster) -> Result<(), Trouble> {
        self.take_roster_of(roster, false)
    }

    /// `anyway`: one of the same version for another ward brings the sign-ins of that ward's people.
    pub(super) fn take_roster_of(&self, roster: Roster, anyway: bool) -> Result<(), Trouble> {
        let identity = self.identity().ok_or_else(|| Trouble::Refused(crate::record::join_first()))?;
        let is_same = |ours: &Arc<Roster>| ours.version == roster.version && ours.facility.id == roster.facility.id;
        let is_ours = |known: &Known| !known.lacks_pins && known.roster.as_ref().is_some_and(is_same);
        if !anyway && is_ours(&self.known()) {
            return Ok(());
        }
        self.keep_roster(&identity, roster)
    }

    /// For this identity, which need not be kept itself yet.
    pub fn keep_roster(&self, identity: &Identity, mut roster: Roster) -> Result<(), Trouble> {
        if roster.facility.id != identity.facility {
            return Err(not_the_server("its roster is of another facility"));
        }
        let sealed = pins::seal(&identity.device_secret.0, &mut roster);
        self.identity_file
            .write(|to| {
                roster::set(to, &roster)?;
                pins::replace(to, &sealed)
            })
            .map_err(local)?;
        // Without it no board can be shown and nothing recorded: also where the other file is lost.
        self.records.write(|to| meta::set(to, ROSTER, &roster)).map_err(local)?;
        {
            let guests = self.identity_file.read(guests::all).map_err(local)?;
            let mut known = self.known_mut();
            (known.roster, known.lacks_pins) = (Some(Arc::new(with_guests(&roster, guests))), false);
        }
        lock(&self.troubles).over("identity.set_aside");
        self.changed();
        Ok(())
    }
}

/// Errors where this answers another question. A server of the first release does not say.
pub(super) fn answers(request: Uuid, said: Uuid) -> Result<(), Trouble> {
    match said == request || said.is_nil() {
        true => Ok(()),
        false => Err(not_the_server("its answer is to another question")),
    }
}

/// The question for the page after this one; None where it is the last.
fn after(ask: &FeedAsk, page: &FeedPage) -> Option<FeedAsk> {
    let header = &page.header;
    let from = match header.next {
        FeedNext::Opening(mark) => FeedFrom::OpeningNext(mark),
        FeedNext::Cursor(cursor) => FeedFrom::Cursor(cursor),
    };
    let roster_version = header.roster.as_ref().map_or(ask.roster_version, |roster| roster.version);
    let trust = header.trust.as_ref().map_or(ask.trust, |said| Some(said.since));
    header.more.then(|| FeedAsk { from, wait_ms: 0, roster_version, trust, ..ask.clone() })
}

/// Does the rolling hash over the page's rows lead from one cursor to the other? A body that was pruned has no id
/// here, so a page with one cannot be recomputed.
fn follows(before: &Cursor, after: &Cursor, rows: &[Row]) -> bool {
    if rows.iter().any(|row| row.bytes.is_none()) {
        return rows.last().is_some_and(|row| row.row.n == after.n);
    }
    let mut at = *before;
    for row in rows {
        let n = row.row.n;
        if n != at.n + 1 {
            return false;
        }
        at = Cursor { n, hash: feed_hash(&at.hash, n, row.id(), &row.hash), ..at };
    }
    at == *after
}

#[cfg(test)]
mod tests {
    use super::*;
    use lamplight_domain::chain::body_hash;
    use lamplight_domain::ids::AuthorId;

    fn row(n: u64, blob: &Blob) -> Row {
        let row = FeedRow { n, author: AuthorId(Uuid::nil()), seq: n, received_at: Ms(0), flags: vec![] };
        Row::of(row, blob.clone())
    }

    #[test]
    fn a_page_must_lead_from_cursor_to_cursor() {
        let generation = Uuid::from_u128(1);
        let before = Cursor { generation, n: 4, hash: Hash([4; 32]), mac: Some(Hash([5; 32])) };
        let [one, two] = [Blob::Bytes(b"no record".to_vec()), Blob::Bytes(b"nor this".to_vec())];
        let mut hash = before.hash;
        for (n, blob) in [(5, &one), (6, &two)] {
            hash = feed_hash(&hash, n, RecordId(Uuid::nil()), &blob.hash());
        }
        let after = Cursor { generation, n: 6, hash, mac: Some(Hash([6; 32])) };
        assert!(follows(&before, &after, &[row(5, &one), row(6, &two)]));
        assert!(!follows(&before, &after, &[row(5, &one), row(7, &two)]), "a row is skipped");
        assert!(!follows(&before, &after, &[row(6, &one), row(5, &two)]), "rows are swapped");
        assert!(!follows(&before, &Cursor { n: 5, ..after }, &[row(5, &one)]), "the page was cut");
        let held = Blob::Held(body_hash(b"pruned"));
        assert!(follows(&before, &Cursor { n: 5, ..after }, &[row(5, &held)]), "what was pruned is believed");
    }
}
