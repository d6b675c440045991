//! A ward whose file can be changed behind the server's back, again and again from the same beginning.

use crate::common::*;
use lamplight_domain::findings::Finding;
use lamplight_domain::ids::AuthorId;
use lamplight_server::{FacilityServer, examine};
use rusqlite::Connection;
use std::path::PathBuf;

/// Two tablets with some batches each, and what the server wrote down about their joining.
pub struct Furnished {
    pub house: House,
    pub a: Pad,
    pub b: Pad,
    sound: PathBuf,
}

impl Furnished {
    pub async fn new() -> Furnished {
        let house = House::new();
        let server = house.open();
        let (mut a, mut b) = (house.tablet(&server, 1).await, house.tablet(&server, 2).await);
        let first = admission(&a, STAY, START - HOUR);
        a.push(&server, first).await;
        for n in 0..4 {
            house.wait(MINUTE);
            let (note, check) = (a.note(house.now(), &n.to_string()), b.check(house.now()));
            a.push(&server, vec![note]).await;
            b.push(&server, vec![check]).await;
        }
        let mut furnished = Furnished { house, a, b, sound: PathBuf::new() };
        furnished.remember(server).await;
        furnished
    }

    /// From now on this is how the file was.
    pub async fn remember(&mut self, server: FacilityServer) {
        server.close().await;
        self.sound = self.house.set_aside();
    }

    /// The file as it was, without the guards, for somebody who has its key.
    pub fn unguarded(&self) -> Connection {
        self.house.put_back(&self.sound);
        let db = self.house.db();
        let names: Vec<String> = db
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
            .unwrap()
            .query_map([], |r| r.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(names.len(), 10);
        for name in names {
            db.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
        }
        db.execute_batch("DROP INDEX feed_by_body").unwrap();
        db.pragma_update(None, "foreign_keys", false).unwrap();
        db
    }

    /// What `verify` finds: "link.changed b2" for link 2 of tablet b, "feed.changed 3" for row 3.
    pub fn found(&self, exports: &[PathBuf]) -> Vec<String> {
        let verified = examine(&self.house.path, exports).unwrap();
        let mut names: Vec<String> = verified.findings.iter().map(|f| self.name(f)).collect();
        assert_eq!(verified.broken, names.len() as u64);
        names.sort();
        names
    }

    fn name(&self, finding: &Finding) -> String {
        let who = |author: AuthorId| match author {
            a if a == self.a.key.author() => "a",
            b if b == self.b.key.author() => "b",
            AuthorId(nobody) if nobody.is_nil() => "nobody",
            _ => "server",
        };
        let author = finding.author.map_or("", who);
        let seq = finding.seq.map_or(String::new(), |seq| seq.to_string());
        format!("{} {author}{seq}", finding.code).trim().to_owned()
    }
}

/// No name, no word of an entry.
pub fn says_nothing_of_patients(furnished: &Furnished) {
    let text = serde_json::to_string(&examine(&furnished.house.path, &[]).unwrap()).unwrap();
    for word in ["Garcia", "Mateo", "bedroom", "reading", "Okafor"] {
        assert!(!text.contains(word), "{text}");
    }
}
