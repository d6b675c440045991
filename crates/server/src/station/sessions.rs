//! Who is logged in at a station. In memory only: a restart logs everybody out.

use crate::store::logins::FactorSecret;
use axum::http::{HeaderMap, HeaderValue, header};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use lamplight_domain::ids::{StaffId, StayId};
use lamplight_domain::station::First;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Only over TLS, only for this host and all of it: browsers hold a `__Host-` name to that.
const COOKIE: &str = "__Host-lamplight";
/// Without a request for so long, a session ends. A live board that is open counts as one: it must not go dark.
const IDLE: Duration = Duration::from_secs(30 * 60);
/// Whatever happens, a session ends after a shift.
const ABSOLUTE: Duration = Duration::from_secs(12 * 60 * 60);
/// Sessions at one time; the oldest goes first.
const MAX: usize = 2_000;

/// A session's name in here: the hash of its secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u8; 32]);

#[derive(Default)]
pub struct Sessions {
    by: Mutex<HashMap<Key, Session>>,
}

struct Session {
    staff: StaffId,
    began: Instant,
    used: Instant,
    first: Option<First>,
    /// Whose days were looked at.
    seen: HashSet<StayId>,
    /// A second factor of which no code was shown yet.
    begun: Option<FactorSecret>,
}

impl Session {
    fn lives(&self, now: Instant) -> bool {
        now.duration_since(self.used) < IDLE && now.duration_since(self.began) < ABSOLUTE
    }
}

fn key(secret: &str) -> Key {
    Key(Sha256::digest(secret.as_bytes()).into())
}

/// Of the request's cookie.
pub fn key_of(headers: &HeaderMap) -> Option<Key> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, secret)| key(secret))
}

/// The cookie that sets a session, or that ends it.
pub fn cookie(secret: Option<&str>) -> Option<HeaderValue> {
    let text = match secret {
        Some(secret) => format!("{COOKIE}={secret}; Path=/; Secure; HttpOnly; SameSite=Strict"),
        None => format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"),
    };
    HeaderValue::from_str(&text).ok()
}

impl Sessions {
    /// A new session, with a secret of its own; the one before it ends.
    pub fn begin(&self, staff: StaffId, first: Option<First>, before: Option<Key>, random: [u8; 32]) -> String {
        self.begin_at(staff, first, before, random, Instant::now())
    }

    fn begin_at(
        &self,
        staff: StaffId,
        first: Option<First>,
        before: Option<Key>,
        random: [u8; 32],
        now: Instant,
    ) -> String {
        let secret = URL_SAFE_NO_PAD.encode(random);
        let mut by = self.lock();
        if let Some(before) = before {
            by.remove(&before);
        }
        by.retain(|_, s| s.lives(now));
        if by.len() >= MAX
            && let Some(oldest) = by.iter().min_by_key(|(_, s)| s.used).map(|(k, _)| *k)
        {
            by.remove(&oldest);
        }
        let session = Session { staff, began: now, used: now, first, seen: HashSet::new(), begun: None };
        by.insert(key(&secret), session);
        secret
    }

    /// The same session under a new secret, and the person's others end. It ends when it would have ended. None where it
    /// is over.
    pub fn rotate(&self, old: &Key, first: Option<First>, random: [u8; 32]) -> Option<String> {
        let secret = URL_SAFE_NO_PAD.encode(random);
        let mut by = self.lock();
        let mut session = by.remove(old)?;
        by.retain(|_, other| other.staff != session.staff);
        (session.first, session.begun) = (first, None);
        by.insert(key(&secret), session);
        Some(secret)
    }

    /// Whose session it is, and what has to be done in it first; using it keeps it alive.
    pub fn of(&self, key: &Key) -> Option<(StaffId, Option<First>)> {
        self.of_at(key, Instant::now())
    }

    fn of_at(&self, key: &Key, now: Instant) -> Option<(StaffId, Option<First>)> {
        let mut by = self.lock();
        let session = by.get_mut(key)?;
        if !session.lives(now) {
            by.remove(key);
            return None;
        }
        session.used = now;
        Some((session.staff, session.first))
    }

    /// True where the session looks at this stay for the first time.
    pub fn looks_at(&self, key: &Key, stay: StayId) -> bool {
        self.lock().get_mut(key).is_some_and(|session| session.seen.insert(stay))
    }

    /// A second factor that is in force once a code of it was shown.
    pub fn begin_factor(&self, key: &Key, secret: FactorSecret) {
        if let Some(session) = self.lock().get_mut(key) {
            session.begun = Some(secret);
        }
    }

    pub fn begun_factor(&self, key: &Key) -> Option<FactorSecret> {
        self.lock().get(key)?.begun.clone()
    }

    pub fn end(&self, key: &Key) {
        self.lock().remove(key);
    }

    /// Every session of somebody who may not go on as they were.
    pub fn end_of(&self, staff: StaffId) {
        self.lock().retain(|_, session| session.staff != staff);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Session>> {
        self.by.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn somebody() -> StaffId {
        StaffId(Uuid::from_u128(1))
    }

    #[test]
    fn a_session_ends_when_idle_and_at_the_end_of_a_shift() {
        let (sessions, start) = (Sessions::default(), Instant::now());
        let idle = key(&sessions.begin_at(somebody(), None, None, [1; 32], start));
        assert_eq!(sessions.of_at(&idle, start + IDLE - Duration::from_secs(1)), Some((somebody(), None)));
        assert_eq!(sessions.of_at(&idle, start + IDLE + IDLE), None);
        let busy = key(&sessions.begin_at(somebody(), None, None, [2; 32], start));
        let mut at = start;
        while at < start + ABSOLUTE {
            assert_eq!(sessions.of_at(&busy, at), Some((somebody(), None)));
            at += IDLE / 2;
        }
        assert_eq!(sessions.of_at(&busy, at), None);
    }

    #[test]
    fn logging_in_again_ends_the_session_before() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let first = key(&sessions.begin_at(somebody(), None, None, [1; 32], now));
        let second = key(&sessions.begin_at(somebody(), None, Some(first), [2; 32], now));
        assert_eq!(sessions.of_at(&first, now), None);
        assert_eq!(sessions.of_at(&second, now), Some((somebody(), None)));
        sessions.end(&second);
        assert_eq!(sessions.of_at(&second, now), None);
    }

    #[test]
    fn a_new_secret_ends_the_old_one_and_the_others_and_lengthens_nothing() {
        let (sessions, start) = (Sessions::default(), Instant::now());
        let begin = |random| key(&sessions.begin_at(somebody(), Some(First::Password), None, random, start));
        let (own, other) = (begin([1; 32]), begin([2; 32]));
        let stranger = StaffId(Uuid::from_u128(2));
        let stranger = key(&sessions.begin_at(stranger, None, None, [3; 32], start));
        assert!(sessions.looks_at(&own, StayId(Uuid::from_u128(9))));
        let turned = key(&sessions.rotate(&own, None, [4; 32]).unwrap());
        assert_eq!((sessions.of_at(&own, start), sessions.of_at(&other, start)), (None, None));
        assert_eq!(sessions.of_at(&turned, start), Some((somebody(), None)));
        assert!(!sessions.looks_at(&turned, StayId(Uuid::from_u128(9))), "it is the same session");
        assert!(sessions.of_at(&stranger, start).is_some());
        assert!(sessions.rotate(&own, None, [5; 32]).is_none());
        let mut at = start;
        while at < start + ABSOLUTE {
            assert!(sessions.of_at(&turned, at).is_some());
            at += IDLE / 2;
        }
        assert_eq!(sessions.of_at(&turned, at), None, "it ends when it would have ended");
    }

    #[test]
    fn the_cookie_is_found_among_others_and_never_in_the_clear() {
        let headers =
            HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static("a=b; __Host-lamplight=secret; c=d"))]);
        assert!(key_of(&headers) == Some(key("secret")));
        let set = cookie(Some("secret")).unwrap();
        for part in ["__Host-lamplight=secret", "Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
            assert!(set.to_str().unwrap().contains(part), "{part}");
        }
    }
}
