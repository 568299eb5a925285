//! Rows whose names were different before schema 6, and are the same since. The older has the key; the younger has one that
//! nobody can type, until one of them is renamed (U1, G1).

use std::fmt;

use super::{Reader, Writer, params};
use crate::{error::Result, values::text};

/// A row whose name another had first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Collision {
    /// `username`, `email` or `group name`.
    pub(crate) what: &'static str,
    pub(crate) younger: Named,
    pub(crate) older: Named,
}

/// Whom or what it concerns: the id, and the name that it is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl fmt::Display for Collision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (younger, older) = (&self.younger, &self.older);
        write!(
            f,
            "the {} of {:?} ({}) is also that of {:?} ({}): change one of them",
            self.what, younger.name, younger.id, older.name, older.id
        )
    }
}

/// What a user is found by: the username, and the addresses that the user holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys {
    pub(super) usernames: Vec<String>,
    pub(super) addresses: Vec<String>,
}

impl Keys {
    /// Those that are not among the others any more.
    pub(super) fn without(mut self, kept: &Self) -> Self {
        self.usernames.retain(|key| !kept.usernames.contains(key));
        self.addresses.retain(|key| !kept.addresses.contains(key));
        self
    }
}

/// Gives what somebody has given up to the oldest of those who were waiting for it.
pub(super) fn settle_users(writer: &Writer<'_>, given_up: &Keys) -> Result<()> {
    for key in &given_up.usernames {
        settle_user(writer, "username_key", "holder.username_key = ?1", key)?;
    }
    for key in &given_up.addresses {
        for column in ["username_email_key", "email_key"] {
            let holds = "(holder.username_email_key = ?1 OR holder.email_key = ?1 AND holder.email_held = 1)";
            settle_user(writer, column, holds, key)?;
        }
    }
    Ok(())
}

fn settle_user(writer: &Writer<'_>, column: &str, holds: &str, key: &str) -> Result<()> {
    let (from, to) = text::displaced_bounds(key);
    let sql = format!(
        r"
        UPDATE users
        SET {column} = ?1
        WHERE id = (SELECT id
                    FROM users
                    WHERE {column} > ?2 AND {column} < ?3
                    ORDER BY created_at, id
                    LIMIT 1)
          AND NOT EXISTS (SELECT 1 FROM users AS holder WHERE {holds} AND holder.id <> users.id)"
    );
    writer.execute(&sql, params![key, &from, &to])?;
    Ok(())
}

/// The same of a group's name.
pub(super) fn settle_groups(writer: &Writer<'_>, key: Option<&str>) -> Result<()> {
    let Some(key) = key else { return Ok(()) };
    let (from, to) = text::displaced_bounds(key);
    writer.execute(
        r"
        UPDATE groups
        SET name_key = ?1
        WHERE id = (SELECT id
                    FROM groups
                    WHERE name_key > ?2 AND name_key < ?3
                    ORDER BY created_at, id
                    LIMIT 1)
          AND NOT EXISTS (SELECT 1 FROM groups AS holder WHERE holder.name_key = ?1)",
        params![key, &from, &to],
    )?;
    Ok(())
}

/// All that are left.
pub(crate) fn list(reader: &Reader<'_>) -> Result<Vec<Collision>> {
    let usernames = "SELECT id, username FROM users WHERE username_key = ?1";
    let addresses = r"
        SELECT id, username
        FROM users
        WHERE username_email_key = ?1 OR email_key = ?1 AND email_held = 1";
    let groups = "SELECT id, name FROM groups WHERE name_key = ?1";
    let mut all = Vec::new();
    for (what, waiting, holder) in [
        (
            "username",
            "SELECT id, username, username_key FROM users WHERE username_key LIKE ?1 ORDER BY id",
            usernames,
        ),
        (
            "username",
            "SELECT id, username, username_email_key FROM users WHERE username_email_key LIKE ?1 ORDER BY id",
            addresses,
        ),
        (
            "email",
            "SELECT id, username, email_key FROM users WHERE email_key LIKE ?1 ORDER BY id",
            addresses,
        ),
        (
            "group name",
            "SELECT id, name, name_key FROM groups WHERE name_key LIKE ?1 ORDER BY id",
            groups,
        ),
    ] {
        let pattern = format!("%{}%", text::displaced("", ""));
        let rows = reader.query_all(waiting, params![&pattern], |row| {
            let (id, name) = (row.at(0)?, row.at(1)?);
            Ok((Named { id, name }, row.at::<String>(2)?))
        })?;
        for (younger, key) in rows {
            let key = text::undisplaced(&key).unwrap_or(&key);
            let older = reader.query_one(holder, params![key], |row| {
                let (id, name) = (row.at(0)?, row.at(1)?);
                Ok(Named { id, name })
            })?;
            all.extend(older.map(|older| Collision {
                what,
                younger,
                older,
            }));
        }
    }
    Ok(all)
}
