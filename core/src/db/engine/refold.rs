//! Folds all keys of an older file anew, inside the transaction that migrates it (D2). Schema 6 compares names by full case
//! folding, and domains by their ASCII form (U1): names that were two until then may be one.

use std::{collections::HashMap, time::SystemTime};

use rusqlite::{Transaction, params};

use super::failure;
use crate::{
    clock,
    error::Result,
    model::{audit::EventKind, named::Named},
    values::text,
};

/// The first schema whose keys are folded so.
pub(super) const FIRST_SCHEMA: u32 = 6;

/// A key that two rows may share: the column, and what it is made of.
struct Shared {
    table: &'static str,
    id: &'static str,
    key: &'static str,
    of: &'static [&'static str],
    make: fn(&[Option<String>]) -> Option<String>,
}

/// One whose rows must differ. Of one table, the columns are one name space.
struct Unique {
    table: &'static str,
    key: &'static str,
    of: &'static str,
    /// What a person knows the row by.
    shown: &'static str,
    make: fn(&str) -> String,
}

const SHARED: &[Shared] = &[
    shared("users", "display_name_key", &["display_name"], folded),
    shared("users", "first_name_key", &["first_name"], folded),
    shared("users", "last_name_key", &["last_name"], folded),
    shared("users", "search_key", PERSON, of_person),
    shared("groups", "friendly_name_key", &["friendly_name"], folded),
    shared("groups", "search_key", &["name", "friendly_name"], search),
    shared("services", "name_key", &["name"], folded),
    shared("services", "search_key", &["slug", "name"], search),
    shared("api_keys", "name_key", &["name"], folded),
    shared("api_keys", "search_key", &["name"], search),
    // Their spelling is not known any more, which does not matter: folding twice is folding once.
    shared("deleted_users", "username_key", &["username_key"], name),
];

const PERSON: &[&str] = &[
    "username",
    "email",
    "display_name",
    "first_name",
    "last_name",
    "external_id",
];

const UNIQUE: &[Unique] = &[
    Unique {
        table: "users",
        key: "username_key",
        of: "username",
        shown: "username",
        make: text::name_key,
    },
    Unique {
        table: "users",
        key: "email_key",
        of: "email",
        shown: "username",
        make: text::name_key,
    },
    Unique {
        table: "groups",
        key: "name_key",
        of: "name",
        shown: "name",
        make: text::folded,
    },
];

const fn shared(
    table: &'static str,
    key: &'static str,
    of: &'static [&'static str],
    make: fn(&[Option<String>]) -> Option<String>,
) -> Shared {
    Shared {
        table,
        id: "id",
        key,
        of,
        make,
    }
}

fn folded(texts: &[Option<String>]) -> Option<String> {
    texts.first()?.as_deref().map(text::folded)
}

fn name(texts: &[Option<String>]) -> Option<String> {
    texts.first()?.as_deref().map(text::name_key)
}

fn search(texts: &[Option<String>]) -> Option<String> {
    Some(text::search_key(texts.iter().map(Option::as_deref)))
}

fn of_person(texts: &[Option<String>]) -> Option<String> {
    let mut names = [None; PERSON.len()];
    for (name, text) in names.iter_mut().zip(texts) {
        *name = text.as_deref();
    }
    Some(text::person_search_key(names))
}

/// Folds everything anew, and notes which names have become one.
pub(super) fn refold(transaction: &Transaction<'_>, now: SystemTime) -> Result<()> {
    for column in SHARED {
        fill(transaction, column)?;
    }
    for table in ["users", "groups"] {
        let collisions = claim(transaction, table)?;
        for collision in collisions {
            tell(transaction, table, &collision, now)?;
        }
    }
    refold_names_of_plans(transaction)
}

fn fill(transaction: &Transaction<'_>, column: &Shared) -> Result<()> {
    let Shared { table, id, key, .. } = column;
    let mut read = transaction
        .prepare(&format!(
            "SELECT {id}, {} FROM {table}",
            column.of.join(", ")
        ))
        .map_err(failure)?;
    let rows = read.query_map([], |row| {
        let texts = (1..=column.of.len()).map(|index| row.get(index));
        Ok((
            row.get::<_, String>(0)?,
            texts.collect::<rusqlite::Result<Vec<Option<String>>>>()?,
        ))
    });
    let rows: Vec<_> = rows.and_then(Iterator::collect).map_err(failure)?;
    let mut write = transaction
        .prepare(&format!("UPDATE {table} SET {key} = ?2 WHERE {id} = ?1"))
        .map_err(failure)?;
    for (id, texts) in rows {
        write
            .execute(params![id, (column.make)(&texts)])
            .map_err(failure)?;
    }
    Ok(())
}

/// A name of one row.
struct Claim {
    age: i64,
    id: String,
    column: &'static Unique,
    shown: String,
    key: String,
    former_key: String,
}

/// A younger row whose name an older one has.
struct Collision {
    younger: (String, String),
    older: (String, String),
    what: &'static str,
}

/// Gives each name of a table to the oldest row that has it; the others get a key that nobody can type.
fn claim(transaction: &Transaction<'_>, table: &str) -> Result<Vec<Collision>> {
    let mut claims = Vec::new();
    for column in UNIQUE.iter().filter(|column| column.table == table) {
        claims.extend(read_claims(transaction, column)?);
    }
    claims.sort_by(|a, b| (a.age, &a.id).cmp(&(b.age, &b.id)));
    let mut holders: HashMap<String, (String, String)> = HashMap::new();
    let mut collisions = Vec::new();
    for claim in &mut claims {
        let claimant = (claim.id.clone(), claim.shown.clone());
        let holder = holders
            .entry(claim.key.clone())
            .or_insert_with(|| claimant.clone());
        if holder.0 != claim.id {
            claim.key = text::displaced(&claim.key, &claim.id);
            collisions.push(Collision {
                younger: claimant,
                older: holder.clone(),
                what: claim.column.of,
            });
        }
    }
    claims.retain(|claim| claim.key != claim.former_key);
    // Out of the way first: a new key may be the former one of another row.
    for claim in &claims {
        set_key(transaction, claim, &text::displaced("", &claim.id))?;
    }
    for claim in &claims {
        set_key(transaction, claim, &claim.key)?;
    }
    Ok(collisions)
}

fn read_claims(transaction: &Transaction<'_>, column: &'static Unique) -> Result<Vec<Claim>> {
    let Unique {
        table,
        key,
        of,
        shown,
        make,
    } = column;
    let mut read = transaction
        .prepare(&format!(
            "SELECT created_at, id, {of}, {shown}, {key} FROM {table} WHERE {of} IS NOT NULL AND {key} IS NOT NULL"
        ))
        .map_err(failure)?;
    let claims = read.query_map([], |row| {
        Ok(Claim {
            age: row.get(0)?,
            id: row.get(1)?,
            column,
            key: make(&row.get::<_, String>(2)?),
            shown: row.get(3)?,
            former_key: row.get(4)?,
        })
    });
    claims.and_then(Iterator::collect).map_err(failure)
}

fn set_key(transaction: &Transaction<'_>, claim: &Claim, key: &str) -> Result<()> {
    let Unique {
        table, key: column, ..
    } = claim.column;
    let sql = format!("UPDATE {table} SET {column} = ?2 WHERE id = ?1");
    let mut write = transaction.prepare_cached(&sql).map_err(failure)?;
    write
        .execute(params![claim.id, key])
        .map(drop)
        .map_err(failure)
}

/// One audit row, which names both.
fn tell(
    transaction: &Transaction<'_>,
    table: &str,
    collision: &Collision,
    now: SystemTime,
) -> Result<()> {
    let (younger, older) = (&collision.younger, &collision.older);
    let details = serde_json::json!({
        "field": collision.what,
        "older_id": older.0,
        "older_name": older.1,
    });
    let (user, thing) = match table {
        "users" => (Some(younger), None),
        _ => (None, Some(younger)),
    };
    transaction
        .execute(
            r"
            INSERT INTO audit (at, kind, actor_kind, user_id, username, subject_id, subject_name, details, count)
            SELECT max(last_time, ?1), ?2, 'host', ?3, ?4, ?5, ?6, ?7, 1
            FROM instance",
            params![
                clock::to_millis(now),
                EventKind::NamesCollide.name(),
                user.map(|(id, _)| id),
                user.map(|(_, name)| name),
                thing.map(|(id, _)| id),
                thing.map(|(_, name)| name),
                details.to_string(),
            ],
        )
        .map(drop)
        .map_err(failure)
}

/// B6: a name by which plans knew two users is that of neither. The next plan that has it is told to name the id.
fn refold_names_of_plans(transaction: &Transaction<'_>) -> Result<()> {
    let mut read = transaction
        .prepare("SELECT name_key, user_id FROM plan_users ORDER BY user_id, name_key")
        .map_err(failure)?;
    let rows = read.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let rows: Vec<(String, String)> = rows.and_then(Iterator::collect).map_err(failure)?;
    let mut known: HashMap<String, Vec<(String, String)>> = HashMap::new();
    for (key, user) in rows {
        let of_key = known.entry(text::name_key(&key)).or_default();
        of_key.push((key, user));
    }
    let sql = "UPDATE plan_users SET name_key = ?2 WHERE name_key = ?1";
    let mut write = transaction.prepare(sql).map_err(failure)?;
    let mut set = |from: &str, to: &str| write.execute([from, to]).map(drop).map_err(failure);
    let mut kept = Vec::new();
    for (key, rows) in &known {
        let is_of_one = rows.iter().all(|(_, user)| *user == rows[0].1);
        for (index, (former, _)) in rows.iter().enumerate() {
            let apart = text::displaced(key, former);
            set(former, &apart)?;
            if is_of_one && index == 0 {
                kept.push((apart, key));
            }
        }
    }
    kept.iter().try_for_each(|(apart, key)| set(apart, key))
}
