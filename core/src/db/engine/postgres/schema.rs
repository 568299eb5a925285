//! Makes the tables in an empty database, or finds out that they are there, and ours (D2).

use std::time::SystemTime;

use super::{super::SCHEMA, session::Session};
use crate::error::{KeyplateError, Result};

/// The tables that both engines have, made from SQLite's by `cargo xtask generate`.
const TABLES: &str = include_str!("../../../../sql/postgres/schema.sql");
/// What only this engine needs.
const MORE: &str = include_str!("../../../../sql/postgres/engine.sql");
/// "KEYP": those who make or upgrade the tables of a database take turns by it.
const LOCK: i64 = 0x4b45_5950;
/// What stands as a comment on `instance`, and tells our tables from others.
const MARK: &str = "keyplate";

/// Whoever may only read and write finds everything there; the tables are made by a role that may.
pub(super) fn settle(session: &Session, now: SystemTime) -> Result<()> {
    if is_there(session)? {
        return Ok(());
    }
    session.begin_plain()?;
    let made = lock_and_make(session, now);
    let made = made.and_then(|()| session.commit());
    session.roll_back();
    made
}

fn lock_and_make(session: &Session, now: SystemTime) -> Result<()> {
    let locked = "SELECT count(pg_advisory_xact_lock(?1))";
    session.query_one(locked, &[LOCK.into()], |_| Ok(()))?;
    if is_there(session)? {
        return Ok(());
    }
    let others = r"
        SELECT count(*)
        FROM pg_class
        WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
          AND relkind IN ('r', 'p', 'v', 'm', 'f')";
    if session.query_one(others, &[], |row| row.at::<i64>(0))? != Some(0) {
        return Err(foreign("the schema holds tables of another application"));
    }
    session.run(TABLES)?;
    session.run(MORE)?;
    session.run(&format!("COMMENT ON TABLE instance IS '{MARK}'"))?;
    session.execute(
        "INSERT INTO instance (id, schema, last_time, created_at) VALUES (1, ?1, ?2, ?2)",
        &[SCHEMA.into(), now.into()],
    )?;
    let setup = "INSERT INTO setup (id, stage, generation) VALUES (1, 'uninitialised', 1)";
    session.execute(setup, &[])?;
    Ok(())
}

/// True when nothing is to be made.
fn is_there(session: &Session) -> Result<bool> {
    let sql = r"
        SELECT obj_description(pg_class.oid, 'pg_class') AS mark
        FROM pg_class
        JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace
        WHERE pg_class.relname = 'instance' AND pg_namespace.nspname = current_schema()";
    let mark: Option<Option<String>> = session.query_one(sql, &[], |row| row.at(0))?;
    match mark {
        None => return Ok(false),
        Some(Some(mark)) if mark == MARK => {}
        Some(_) => return Err(foreign("its table instance is another application's")),
    }
    let schema = session.query_one("SELECT schema FROM instance", &[], |row| row.at(0))?;
    match schema {
        Some(SCHEMA) => Ok(true),
        Some(found) if found > SCHEMA => Err(KeyplateError::SchemaTooNew {
            found: i64::from(found),
            known: i64::from(SCHEMA),
        }),
        found => Err(KeyplateError::CorruptDatabase {
            reason: format!("schema {found:?} was never released for PostgreSQL"),
        }),
    }
}

fn foreign(reason: &str) -> KeyplateError {
    KeyplateError::ForeignDatabase {
        reason: reason.to_owned(),
    }
}
