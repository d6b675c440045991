//! The two files' tables. A released migration is never changed; a column never changes its meaning.

use rusqlite::{Connection, TransactionBehavior};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// `records.db`: bodies, links, the feeds, receipts, drafts.
    Records,
    /// `identity.db`: who this tablet is and who may sign in. Apart from the records, so that a damaged records
    /// file costs neither the enrolment nor the sign-in.
    Identity,
    /// Of a release to come, and of one that cannot be brought up: for tests.
    #[cfg(test)]
    Next,
    #[cfg(test)]
    Failing,
}

const RECORDS: &[&str] = &[
    include_str!("records.1.sql"),
    include_str!("records.2.sql"),
    include_str!("records.3.sql"),
    include_str!("records.4.sql"),
];
const IDENTITY: &[&str] =
    &[include_str!("identity.1.sql"), include_str!("identity.2.sql"), include_str!("identity.3.sql")];
#[cfg(test)]
const LATER: &str = "CREATE TABLE later (n INTEGER PRIMARY KEY) STRICT";

impl Schema {
    fn steps(self) -> Vec<&'static str> {
        match self {
            Schema::Records => RECORDS.to_vec(),
            Schema::Identity => IDENTITY.to_vec(),
            #[cfg(test)]
            Schema::Next => [RECORDS, &[LATER, "ALTER TABLE later ADD COLUMN more TEXT"]].concat(),
            #[cfg(test)]
            Schema::Failing => [RECORDS, &[LATER, "INSERT INTO nowhere VALUES (1)"]].concat(),
        }
    }

    /// The newest `user_version` that this program knows.
    pub fn version(self) -> i64 {
        self.steps().len() as i64
    }

    pub fn is_of_records(self) -> bool {
        self != Schema::Identity
    }

    /// All steps that are missing, in one transaction.
    pub fn bring_up(self, connection: &mut Connection) -> rusqlite::Result<()> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
        let version: i64 = transaction.query_row("PRAGMA user_version", (), |row| row.get(0))?;
        for step in self.steps().iter().skip(usize::try_from(version).unwrap_or(0)) {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "user_version", self.version())?;
        transaction.commit()
    }
}
