//! Folds all keys of an older file anew, inside the transaction that migrates it (D2). Schema 6 compares names by full case
//! folding, and domains by their ASCII form (U1): names that were two until then may be one.

use std::{
    collections::{HashMap, HashSet},
    time::SystemTime,
};

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

/// One whose rows must differ. The columns of one name space must differ from each other too.
struct Unique {
    space: &'static str,
    table: &'static str,
    key: &'static str,
    /// Which rows have the name for themselves, in SQL. The others must not have what one of these has.
    holds: &'static str,
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
        space: "usernames",
        table: "users",
        key: "username_key",
        holds: "1",
        of: "username",
        shown: "username",
        make: text::name_key,
    },
    Unique {
        space: "addresses",
        table: "users",
        key: "username_email_key",
        holds: "1",
        of: "username",
        shown: "username",
        make: text::name_key,
    },
    Unique {
        space: "addresses",
        table: "users",
        key: "email_key",
        holds: "email_held",
        of: "email",
        shown: "username",
        make: text::name_key,
    },
    Unique {
        space: "groups",
        table: "groups",
        key: "name_key",
        holds: "1",
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
    for space in ["usernames", "addresses", "groups"] {
        for collision in claim(transaction, space)? {
            tell(transaction, space != "groups", &collision, now)?;
        }
    }
    refold_former_names(transaction)?;
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
    holds: bool,
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

/// Gives each name of a name space to the oldest row that has it; the others get a key that nobody can type.
fn claim(transaction: &Transaction<'_>, space: &str) -> Result<Vec<Collision>> {
    let mut claims = Vec::new();
    for column in UNIQUE.iter().filter(|column| column.space == space) {
        claims.extend(read_claims(transaction, column)?);
    }
    claims.sort_by(|a, b| (!a.holds, a.age, &a.id).cmp(&(!b.holds, b.age, &b.id)));
    let mut holders: HashMap<String, (String, String)> = HashMap::new();
    let mut collisions = Vec::new();
    for claim in &mut claims {
        let claimant = (claim.id.clone(), claim.shown.clone());
        let holder = match holders.get(&claim.key) {
            Some(holder) => holder,
            None if claim.holds => {
                holders.insert(claim.key.clone(), claimant);
                continue;
            }
            None => continue,
        };
        if holder.0 != claim.id {
            collisions.push(Collision {
                younger: claimant,
                older: holder.clone(),
                what: claim.column.of,
            });
            claim.key = text::displaced(&claim.key, &claim.id);
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
        holds,
        ..
    } = column;
    let mut read = transaction
        .prepare(&format!(
            "SELECT created_at, id, {of}, {shown}, {key}, {holds} FROM {table} WHERE {of} IS NOT NULL AND {key} IS NOT NULL"
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
            holds: row.get(5)?,
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
    of_users: bool,
    collision: &Collision,
    now: SystemTime,
) -> Result<()> {
    let (younger, older) = (&collision.younger, &collision.older);
    let details = serde_json::json!({
        "field": collision.what,
        "older_id": older.0,
        "older_name": older.1,
    });
    let (user, thing) = match of_users {
        true => (Some(younger), None),
        false => (None, Some(younger)),
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

/// Their spelling is not known any more, which does not matter: folding twice is folding once. What a user is called now is
/// no former name.
fn refold_former_names(transaction: &Transaction<'_>) -> Result<()> {
    let mut read = transaction
        .prepare("SELECT id, kind, name_key, user_id FROM former_names ORDER BY id DESC")
        .map_err(failure)?;
    type Former = (i64, String, String, String);
    let rows = read.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    });
    let rows: Vec<Former> = rows.and_then(Iterator::collect).map_err(failure)?;
    let mut seen = HashSet::new();
    let (kept, doubled): (Vec<_>, Vec<_>) = rows
        .iter()
        .map(|(id, kind, former, user)| (id, former, (kind, text::name_key(former), user)))
        .partition(|(_, _, name)| seen.insert(name.clone()));
    for (id, ..) in doubled {
        let sql = "DELETE FROM former_names WHERE id = ?1";
        transaction.execute(sql, [id]).map_err(failure)?;
    }
    for (id, former, (_, key, _)) in kept {
        if key != *former {
            let sql = "UPDATE former_names SET name_key = ?2 WHERE id = ?1";
            transaction
                .execute(sql, params![id, key])
                .map_err(failure)?;
        }
    }
    transaction
        .execute(
            r"
            DELETE FROM former_names
            WHERE kind = 'username'
              AND EXISTS (SELECT 1
                          FROM users
                          WHERE users.id = former_names.user_id
                            AND users.username_key IN (name_key, name_key || char(1) || users.id))",
            [],
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
