//! The two files' tables. A released migration is never changed; a column never changes its meaning.

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// `records.db`: bodies, links, the feeds, receipts, drafts.
    Records,
    /// `identity.db`: who this tablet is and who may sign in. Apart from the records, so that a damaged records
    /// file costs neither the enrolment nor the sign-in.
    Identity,
}

impl Schema {
    fn steps(self) -> &'static [&'static str] {
        match self {
            Schema::Records => &[include_str!("records.1.sql")],
            Schema::Identity => &[include_str!("identity.1.sql")],
        }
    }

    /// The newest `user_version` that this program knows.
    pub fn version(self) -> i64 {
        self.steps().len() as i64
    }

    /// Every step in one transaction of its own.
    pub fn bring_up(self, connection: &mut Connection) -> rusqlite::Result<()> {
        let migrations = Migrations::new(self.steps().iter().map(|sql| M::up(sql)).collect());
        migrations.to_latest(connection).map_err(|e| match e {
            rusqlite_migration::Error::RusqliteError { err, .. } => err,
            _ => rusqlite::Error::InvalidQuery,
        })
    }
}
