//! Half-made entries by their author: mutable, gone once saved or dropped.

use lamplight_domain::commands::Draft;
use lamplight_domain::ids::{RecordId, StaffId, StayId};
use lamplight_domain::time::Ms;
use rusqlite::{Connection, params};
use uuid::Uuid;

/// Keeps the newest state of a draft. One that belongs to somebody else stays theirs: false.
pub fn keep(to: &Connection, staff: StaffId, draft: &Draft) -> rusqlite::Result<bool> {
    let kept = to
        .prepare_cached(
            "INSERT INTO drafts (id, staff, stay, begun_at, form, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO UPDATE SET stay = ?3, form = ?5, state = ?6 WHERE staff = ?2",
        )?
        .execute(params![
            draft.id.0.as_bytes(),
            staff.0.as_bytes(),
            draft.stay.0.as_bytes(),
            draft.begun_at.0,
            draft.form,
            draft.state
        ])?;
    Ok(kept > 0)
}

/// Drops the person's own draft; another's stays.
pub fn drop_own(to: &Connection, staff: StaffId, id: RecordId) -> rusqlite::Result<()> {
    to.prepare_cached("DELETE FROM drafts WHERE id = ?1 AND staff = ?2")?
        .execute(params![id.0.as_bytes(), staff.0.as_bytes()])
        .map(|_| ())
}

/// In the transaction that saves the entry.
pub fn saved(to: &Connection, id: RecordId) -> rusqlite::Result<()> {
    to.prepare_cached("DELETE FROM drafts WHERE id = ?1")?.execute([id.0.as_bytes()]).map(|_| ())
}

/// At start: a draft whose entry is saved was cut off between the two, and is done.
pub fn drop_saved(to: &Connection) -> rusqlite::Result<usize> {
    to.execute(
        "DELETE FROM drafts WHERE EXISTS
           (SELECT 1 FROM bodies b JOIN links l ON l.body_hash = b.hash WHERE b.id = drafts.id)",
        (),
    )
}

/// Oldest first.
pub fn of(from: &Connection, staff: StaffId) -> rusqlite::Result<Vec<Draft>> {
    from.prepare_cached("SELECT id, stay, begun_at, form, state FROM drafts WHERE staff = ?1 ORDER BY begun_at, id")?
        .query_map([staff.0.as_bytes()], |row| {
            Ok(Draft {
                id: RecordId(Uuid::from_bytes(row.get(0)?)),
                stay: StayId(Uuid::from_bytes(row.get(1)?)),
                begun_at: Ms(row.get(2)?),
                form: row.get(3)?,
                state: row.get(4)?,
            })
        })?
        .collect()
}

/// For moving to a fresh file.
pub fn all(from: &Connection) -> rusqlite::Result<Vec<(StaffId, Draft)>> {
    let mut statement = from.prepare("SELECT DISTINCT staff FROM drafts")?;
    let staff: Vec<[u8; 16]> = statement.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut out = Vec::new();
    for id in staff {
        let id = StaffId(Uuid::from_bytes(id));
        out.extend(of(from, id)?.into_iter().map(|draft| (id, draft)));
    }
    Ok(out)
}
