//! What a tablet reads: the opening, then page after page by cursor, with a long poll at the end.

use super::cursors::CursorMarks;
use super::heads;
use super::join::{for_ward, revoked};
use super::{FacilityServer, trouble, unknown_author};
use crate::failpoint::failpoint;
use crate::store::feed::{self, Page, Sent, WardNo};
use crate::store::{StoreError, meta};
use lamplight_domain::chain::Hash;
use lamplight_domain::ids::{AuthorId, TabletId, WardId};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::Ms;
use lamplight_domain::wire::{
    Blob, Cursor, FeedAsk, FeedFrom, FeedHeader, FeedNext, FeedPage, HeadShown, OPENING_MS, OWN_WARD, OpeningMark,
    PAGE_MAX_ROWS, Trouble, WAIT_MAX_MS,
};
use rusqlite::Connection;
use std::collections::HashSet;
use std::time::Duration;
use uuid::Uuid;

const STANDING: u8 = 0;

/// What was found for a reader.
struct Found {
    rows: Vec<Sent>,
    next: FeedNext,
    more: bool,
    /// The rows follow the reader's cursor: it stood where it said.
    goes_on: bool,
    backed_up: Option<Ms>,
    began_with: Option<Ms>,
    heads: Vec<HeadShown>,
}

enum Reading {
    Found(Found),
    /// A cursor that was given out in this generation does not fit the feed: this server was restored by hand.
    Restored(Uuid),
}

/// What shows that this server lost what it had: it was restored by hand.
pub(super) enum Lost {
    /// Rows, as a cursor of this generation shows.
    Rows(Uuid),
    /// Links that it had at this time, as a receipt of its own shows.
    Links(Ms),
}

impl FacilityServer {
    pub(super) async fn give_feed(&self, ask: FeedAsk) -> Result<FeedPage, Trouble> {
        let Some(author) = self.author(ask.author).await? else { return Err(unknown_author().into()) };
        self.touch(&author);
        let mut ask = ask;
        let judged_by = self.roster().version;
        if ask.ward == OWN_WARD {
            ask.ward = self.ward_of(author.tablet)?;
        } else {
            if let Err(refusal) = self.may_read(author.tablet, ask.ward, &ask.name).await {
                // What its cursor shows of rows that were lost counts all the same: it may be the only witness.
                if matches!(ask.from, FeedFrom::Cursor(_)) {
                    self.read_page(ask.ward, &ask.from, 1, author.tablet).await?;
                }
                return Err(refusal);
            }
            self.has_arrived(author.tablet).await?;
        }
        let limit = ask.limit.clamp(1, PAGE_MAX_ROWS as u32);
        let deadline = tokio::time::Instant::now() + Duration::from_millis(ask.wait_ms.min(WAIT_MAX_MS).into());
        let trust = self.inner.identity.trust_after(ask.trust);
        let mut stopping = self.stopping();
        let mut changes = self.inner.live.ward(ask.ward).changes();
        // Rows before it are no news, and are not read again each time that the reader's own entries wake it.
        let mut news_from = ask.from.clone();
        loop {
            // Seen before reading: what comes after it wakes us.
            changes.borrow_and_update();
            self.inner.pushes.few().await;
            let (mut found, mut own) = self.read_with_own(&ask, &news_from, limit, author.tablet).await?;
            // What the reader sent itself it knows by its receipt: told with the next row that is news, or at the end.
            let is_news = |sent: &Sent| !own.contains(&sent.row.author) || !sent.row.flags.is_empty();
            let told = ask.roster_version != self.roster().version || trust.is_some();
            let news = found.rows.iter().any(is_news) || found.more || told || !found.goes_on;
            let over = *stopping.borrow() || tokio::time::Instant::now() >= deadline;
            let tell = news || over;
            if tell && news_from != ask.from {
                (found, own) = self.read_with_own(&ask, &ask.from, limit, author.tablet).await?;
            }
            let roster = self.roster();
            if roster.version != judged_by {
                // It may have been moved or revoked while it waited, or while this was read.
                self.may_read(author.tablet, ask.ward, &ask.name).await?;
            }
            if tell {
                self.touch(&author);
                let newer = (ask.roster_version != roster.version).then(|| for_ward(&roster, ask.ward));
                let mut page = self.page(ask.ward, found, &own, newer);
                page.header.trust = trust;
                return Ok(page);
            }
            if let FeedNext::Cursor(next) = found.next {
                news_from = FeedFrom::Cursor(next);
            }
            tokio::select! {
                _ = changes.changed() => {}
                _ = stopping.changed() => {}
                () = tokio::time::sleep_until(deadline) => {}
            }
        }
    }

    /// Only a tablet of the ward that is not revoked. `name`: how it calls itself.
    async fn may_read(&self, tablet: Option<TabletId>, ward: WardId, name: &str) -> Result<(), Trouble> {
        let not_yours = not_yours();
        let roster = self.roster();
        if roster.ward(ward).is_none() {
            return Err(not_yours.into());
        }
        let Some(id) = tablet else { return Err(not_yours.into()) };
        match roster.tablets.iter().find(|t| t.id == id) {
            Some(t) if t.revoked => Err(revoked().into()),
            Some(t) if t.ward == ward => Ok(()),
            Some(_) => Err(not_yours.into()),
            None if self.readmit(id, ward, name).await? == ward => Ok(()),
            None => Err(not_yours.into()),
        }
    }

    /// A page of what is asked, and who among its authors is the reader itself.
    async fn read_with_own(
        &self,
        ask: &FeedAsk,
        from: &FeedFrom,
        limit: u32,
        reader: Option<TabletId>,
    ) -> Result<(Found, HashSet<AuthorId>), Trouble> {
        let found = self.read_page(ask.ward, from, limit, reader).await?;
        let own = self.own_rows(ask, reader, &found).await?;
        Ok((found, own))
    }

    async fn read_page(
        &self,
        ward: WardId,
        from: &FeedFrom,
        limit: u32,
        reader: Option<TabletId>,
    ) -> Result<Found, Trouble> {
        let (facility, now) = (self.inner.identity.facility, self.inner.around.now());
        let serving = self.inner.own.id();
        let read = |from| {
            let marks = self.inner.marks.clone();
            move |db: &Connection| {
                let at = At { marks: &marks, ward, limit, now };
                let since = if let FeedFrom::Cursor(cursor) = &from { cursor.n } else { 0 };
                let mut reading = reading(db, &at, from)?;
                if let (Reading::Found(found), Some(no)) = (&mut reading, feed::ward(db, ward)?) {
                    found.heads = heads::shown(db, facility, (no, since), &found.rows, (reader, serving))?;
                }
                Ok(reading)
            }
        };
        match self.inner.readers.read(read(from.clone())).await.map_err(trouble)? {
            Reading::Found(found) => Ok(found),
            Reading::Restored(generation) => {
                self.new_generation(Lost::Rows(generation)).await?;
                match self.inner.readers.read(read(FeedFrom::Opening)).await.map_err(trouble)? {
                    Reading::Found(found) => Ok(found),
                    Reading::Restored(_) => Err(trouble(StoreError::Broken("an opening has no cursor".into()))),
                }
            }
        }
    }

    /// Once, however many notice: what was lost before a generation began is no reason for another.
    pub(super) async fn new_generation(&self, lost: Lost) -> Result<(), Trouble> {
        let (fresh, now) = (self.inner.around.uuid(), self.inner.around.now());
        let live = self.inner.live.clone();
        let work = move |db: &Connection| {
            let is_news = match lost {
                Lost::Rows(generation) => meta::generation(db)? == generation,
                Lost::Links(had_at) => meta::generation_since(db)?.is_some_and(|since| since <= had_at),
            };
            if is_news {
                meta::begin_generation_after_a_loss(db, fresh, now)?;
                failpoint!("generation.begun");
            }
            Ok(is_news)
        };
        let began = move |is_news: &bool| {
            if *is_news {
                tracing::warn!(
                    "somebody holds what this server had and lost: it was restored, a new generation begins"
                );
                live.bump_all();
            }
        };
        self.inner.writer.write(work, began).await.map_err(trouble).map(|_| ())
    }

    /// The authors among these rows that are this tablet itself, where it wants its own bodies by their hashes: they
    /// would only go back to where they came from.
    async fn own_rows(
        &self,
        ask: &FeedAsk,
        tablet: Option<TabletId>,
        found: &Found,
    ) -> Result<HashSet<AuthorId>, Trouble> {
        let mut own = HashSet::new();
        if !ask.own_by_hash || !matches!(ask.from, FeedFrom::Cursor(_)) || tablet.is_none() {
            return Ok(own);
        }
        let authors: HashSet<AuthorId> = found.rows.iter().map(|row| row.row.author).collect();
        for id in authors {
            if self.author(id).await?.is_some_and(|author| author.tablet == tablet) {
                own.insert(id);
            }
        }
        Ok(own)
    }

    fn page(
        &self,
        ward: WardId,
        found: Found,
        own: &HashSet<AuthorId>,
        roster: Option<lamplight_domain::roster::Roster>,
    ) -> FeedPage {
        let Found { rows, next, more, backed_up, began_with, heads, .. } = found;
        let digest = FeedPage::digest(rows.iter().map(|sent| (&sent.row, sent.body_hash)));
        let blob = |sent: Sent| match own.contains(&sent.row.author) {
            true => (sent.row, Blob::Held(sent.body_hash)),
            false => (sent.row, Blob::Bytes(sent.bytes)),
        };
        let (rows, bodies) = rows.into_iter().map(blob).unzip();
        let header = FeedHeader {
            digest,
            rows,
            next,
            more,
            roster,
            contacts: self.contact_marks(ward),
            server_time: self.inner.around.now(),
            backed_up,
            began_with,
            heads,
            trust: None,
            request: Uuid::nil(),
        };
        FeedPage { header, bodies }
    }
}

/// A tablet that hears this asks for its own ward ([`OWN_WARD`]).
pub(super) fn not_yours() -> Refusal {
    Refusal::new(
        "ward.not_yours",
        "This tablet does not belong to that ward.",
        "Ask a nurse at the station for an invite to it.",
    )
}

/// Where and when a page is read, and how long it may get.
struct At<'a> {
    marks: &'a CursorMarks,
    ward: WardId,
    limit: u32,
    now: Ms,
}

fn reading(db: &Connection, at: &At<'_>, from: FeedFrom) -> Result<Reading, StoreError> {
    let At { marks, ward, limit, now } = *at;
    let generation = meta::generation(db)?;
    let (backed_up, began_with) = (meta::backed_up(db)?, meta::began_with(db)?);
    let no = feed::ward(db, ward)?;
    let hash_at = |n: u64| match no {
        Some(no) => feed::hash_at(db, no, n),
        // A ward without a single row yet.
        None => Ok((n == 0).then_some(Hash::ZERO)),
    };
    let claimed = match &from {
        FeedFrom::Cursor(cursor) => Some(cursor),
        FeedFrom::OpeningNext(mark) => Some(&mark.end),
        FeedFrom::Opening => None,
    };
    let mut fits = false;
    if let Some(cursor) = claimed.filter(|c| c.generation == generation) {
        fits = hash_at(cursor.n)? == Some(cursor.hash);
        if !fits && marks.is_ours(ward, cursor) {
            return Ok(Reading::Restored(generation));
        }
        if !fits {
            // It proves nothing about this server: whoever sent it reads anew, and nobody else.
            tracing::warn!(%ward, n = cursor.n, "a reader showed a cursor that was not given out here");
        }
    }
    let goes_on = fits && matches!(from, FeedFrom::Cursor(_));
    let (rows, next, more) = match (no, from) {
        (None, _) => {
            let start = Cursor { generation, n: 0, hash: Hash::ZERO, mac: None };
            (Vec::new(), FeedNext::Cursor(start), false)
        }
        (Some(no), FeedFrom::Cursor(cursor)) if fits => by_cursor(db, no, cursor, limit)?,
        (Some(no), FeedFrom::OpeningNext(mark)) if fits => opening(db, no, mark, limit)?,
        (Some(no), _) => {
            let end = feed::end(db, no)?;
            let end = Cursor { generation, n: end.n, hash: end.hash, mac: None };
            opening(db, no, OpeningMark { end, part: STANDING, n: 0, since: now - OPENING_MS }, limit)?
        }
    };
    let next = match next {
        FeedNext::Cursor(cursor) => FeedNext::Cursor(marks.given(ward, cursor)),
        FeedNext::Opening(mark) => FeedNext::Opening(OpeningMark { end: marks.given(ward, mark.end), ..mark }),
    };
    Ok(Reading::Found(Found { rows, next, more, goes_on, backed_up, began_with, heads: Vec::new() }))
}

type Part = (Vec<Sent>, FeedNext, bool);

fn by_cursor(db: &Connection, ward: WardNo, from: Cursor, limit: u32) -> Result<Part, StoreError> {
    let Page { rows, more } = feed::after(db, ward, from.n, limit)?;
    let next = rows.last().map_or(from, |last| Cursor { n: last.row.n, hash: last.hash, ..from });
    Ok((rows, FeedNext::Cursor(next), more))
}

/// Standing records in order, then the last 24 hours newest first; a page may hold the end of one and the beginning
/// of the other.
fn opening(db: &Connection, ward: WardNo, mut mark: OpeningMark, limit: u32) -> Result<Part, StoreError> {
    let at = mark.since + OPENING_MS;
    let mut rows = Vec::new();
    if mark.part == STANDING {
        let page = feed::standing(db, ward, mark.n, mark.end.n, at, limit)?;
        rows = page.rows;
        if page.more || rows.len() == limit as usize {
            mark.n = rows.last().map_or(mark.n, |r| r.row.n);
            return Ok((rows, FeedNext::Opening(mark), true));
        }
        mark = OpeningMark { part: STANDING + 1, n: mark.end.n + 1, ..mark };
    }
    let before = mark.n.min(mark.end.n + 1);
    let page = feed::recent(db, ward, before, mark.since, at, limit - rows.len() as u32)?;
    rows.extend(page.rows);
    if page.more {
        mark.n = rows.last().map_or(mark.n, |r| r.row.n);
        return Ok((rows, FeedNext::Opening(mark), true));
    }
    let more = feed::end(db, ward)?.n > mark.end.n;
    Ok((rows, FeedNext::Cursor(mark.end), more))
}
