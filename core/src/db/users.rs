use std::time::SystemTime;

use super::{PageRequest, Reader, Row, Writer, contains_pattern, params};
use crate::{
    clock, db,
    error::Result,
    model::{
        ids::UserId,
        users::{User, UserQuery, UserSort},
    },
    values::text,
};

pub(super) const COLUMNS: &str = "users.id, users.username, users.email, users.email_verified, users.display_name, \
    users.first_name, users.last_name, users.locale, users.external_id, users.role, users.status, users.expires_at, \
    users.created_at, users.updated_at";
/// How many they are, for rows that have more behind them.
pub(super) const COLUMN_COUNT: usize = 14;

pub(super) fn from_row(row: &Row<'_, '_>) -> Result<User> {
    Ok(User {
        id: row.get(0)?,
        username: row.get(1)?,
        email: row.get(2)?,
        email_verified: row.get(3)?,
        display_name: row.get(4)?,
        first_name: row.get(5)?,
        last_name: row.get(6)?,
        locale: row.get(7)?,
        external_id: row.get(8)?,
        group_ids: Vec::new(),
        claims: Vec::new(),
        role: row.get(9)?,
        status: row.get(10)?,
        expires_at: row.get(11)?,
        created_at: row.get(12)?,
        updated_at: row.get(13)?,
    })
}

fn with_groups_and_claims(reader: &Reader<'_>, mut user: User) -> Result<User> {
    user.group_ids = db::groups::of_user(reader, &user.id)?;
    user.claims = db::claims::of_user(reader, &user.id)?;
    Ok(user)
}

pub(crate) fn find(reader: &Reader<'_>, id: &UserId) -> Result<Option<User>> {
    let sql = format!("SELECT {COLUMNS} FROM users WHERE id = ?1");
    let found = reader.query_one(&sql, params![id], from_row)?;
    found
        .map(|user| with_groups_and_claims(reader, user))
        .transpose()
}

/// By username, in its folded form.
pub(crate) fn find_by_username(reader: &Reader<'_>, folded: &str) -> Result<Option<User>> {
    let sql = format!("SELECT {COLUMNS} FROM users WHERE username_key = ?1");
    let found = reader.query_one(&sql, params![folded], from_row)?;
    found
        .map(|user| with_groups_and_claims(reader, user))
        .transpose()
}

/// By username, e-mail address or external id, in this order; the first two in their folded form.
pub(crate) fn find_by_name(
    reader: &Reader<'_>,
    folded: &str,
    external_id: &str,
) -> Result<Option<User>> {
    let found = reader.query_one(
        &format!(
            r"
            SELECT {COLUMNS}
            FROM users
            WHERE username_key = ?1 OR email_key = ?1 OR external_id = ?2
            ORDER BY username_key = ?1 DESC, email_key IS NOT NULL AND email_key = ?1 DESC
            LIMIT 1"
        ),
        params![folded, external_id],
        from_row,
    )?;
    found
        .map(|user| with_groups_and_claims(reader, user))
        .transpose()
}

pub(crate) fn insert(writer: &Writer<'_>, user: &User) -> Result<()> {
    let email_key = user.email.as_deref().map(text::folded);
    writer.execute(
        r"
        INSERT INTO users
            (id, username, username_key, email, email_key, email_verified, display_name, first_name, last_name,
             locale, external_id, role, status, expires_at, created_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        params![
            &user.id,
            &user.username,
            &text::folded(&user.username),
            user.email.as_ref(),
            email_key.as_ref(),
            user.email_verified,
            user.display_name.as_ref(),
            user.first_name.as_ref(),
            user.last_name.as_ref(),
            user.locale.as_ref(),
            user.external_id.as_ref(),
            user.role,
            user.status,
            user.expires_at,
            user.created_at,
            user.updated_at,
        ],
    )?;
    Ok(())
}

pub(crate) fn update(writer: &Writer<'_>, user: &User) -> Result<()> {
    let email_key = user.email.as_deref().map(text::folded);
    writer.execute(
        r"
        UPDATE users
        SET username = ?2, username_key = ?3, email = ?4, email_key = ?5, email_verified = ?6, display_name = ?7,
            first_name = ?8, last_name = ?9, locale = ?10, external_id = ?11, role = ?12, status = ?13,
            expires_at = ?14, updated_at = ?15
        WHERE id = ?1",
        params![
            &user.id,
            &user.username,
            &text::folded(&user.username),
            user.email.as_ref(),
            email_key.as_ref(),
            user.email_verified,
            user.display_name.as_ref(),
            user.first_name.as_ref(),
            user.last_name.as_ref(),
            user.locale.as_ref(),
            user.external_id.as_ref(),
            user.role,
            user.status,
            user.expires_at,
            user.updated_at,
        ],
    )?;
    Ok(())
}

/// Somebody who was never let in: only his id is remembered.
pub(crate) fn delete_unapproved(writer: &Writer<'_>, user: &User, now: SystemTime) -> Result<()> {
    writer.execute(
        "INSERT INTO deleted_users (id, username_key, deleted_at) VALUES (?1, '', ?2)",
        params![&user.id, now],
    )?;
    writer.execute("DELETE FROM users WHERE id = ?1", params![&user.id])?;
    Ok(())
}

/// With all that refers to him; his id and name are remembered.
pub(crate) fn delete(writer: &Writer<'_>, user: &User, now: SystemTime) -> Result<()> {
    writer.execute(
        "INSERT INTO deleted_users (id, username_key, deleted_at) VALUES (?1, ?2, ?3)",
        params![&user.id, &text::folded(&user.username), now],
    )?;
    writer.execute("DELETE FROM users WHERE id = ?1", params![&user.id])?;
    Ok(())
}

pub(crate) fn id_was_used(reader: &Reader<'_>, id: &UserId) -> Result<bool> {
    reader.value(
        r"
        SELECT EXISTS (SELECT 1 FROM users WHERE id = ?1)
            OR EXISTS (SELECT 1 FROM deleted_users WHERE id = ?1)",
        params![id],
    )
}

/// Does another user have this folded text as his username or e-mail address?
pub(crate) fn other_has_name(reader: &Reader<'_>, id: &UserId, folded: &str) -> Result<bool> {
    reader.value(
        r"
        SELECT EXISTS (SELECT 1 FROM users WHERE username_key = ?2 AND id <> ?1)
            OR EXISTS (SELECT 1 FROM users WHERE email_key = ?2 AND id <> ?1)",
        params![id, folded],
    )
}

pub(crate) fn other_has_external_id(
    reader: &Reader<'_>,
    id: &UserId,
    external_id: &str,
) -> Result<bool> {
    reader.value(
        "SELECT EXISTS (SELECT 1 FROM users WHERE external_id = ?2 AND id <> ?1)",
        params![id, external_id],
    )
}

pub(crate) fn name_was_deleted(reader: &Reader<'_>, folded: &str) -> Result<bool> {
    reader.value(
        "SELECT EXISTS (SELECT 1 FROM deleted_users WHERE username_key = ?1)",
        params![folded],
    )
}

/// Administrators who are active and without an end, and perhaps have a passkey that works (U3).
pub(crate) fn count_lasting_administrators(reader: &Reader<'_>, with_passkey: bool) -> Result<u64> {
    reader.value(
        r"
        SELECT count(*)
        FROM users
        WHERE role = 'administrator' AND status = 'active' AND expires_at IS NULL
          AND (?1 = 0
               OR EXISTS (SELECT 1
                          FROM passkeys
                          JOIN relying_party ON relying_party.rp_id = passkeys.rp_id
                          WHERE passkeys.user_id = users.id))",
        params![with_passkey],
    )
}

const FILTER: &str = r"
    WHERE (?1 IS NULL
           OR username_key LIKE ?1 ESCAPE '\' OR email_key LIKE ?1 ESCAPE '\' OR lower(display_name) LIKE ?1 ESCAPE '\'
           OR lower(first_name) LIKE ?1 ESCAPE '\' OR lower(last_name) LIKE ?1 ESCAPE '\')
      AND (?2 IS NULL OR status = ?2)
      AND (?3 IS NULL OR role = ?3)
      AND (?4 IS NULL OR id IN (SELECT user_id FROM group_members WHERE group_id = ?4))
      AND (?5 IS NULL OR expires_at <= ?5)";

pub(crate) fn count(reader: &Reader<'_>, query: &UserQuery, search: Option<&str>) -> Result<u64> {
    let pattern = search.map(contains_pattern);
    let lapse = query
        .expiring_within_seconds
        .map(|seconds| clock::after(reader.now(), seconds));
    reader.value(
        &format!("SELECT count(*) FROM users {FILTER}"),
        params![
            pattern.as_ref(),
            query.status,
            query.role,
            query.group_id.as_ref(),
            lapse
        ],
    )
}

pub(crate) fn list(
    reader: &Reader<'_>,
    query: &UserQuery,
    search: Option<&str>,
    page: PageRequest,
) -> Result<Vec<User>> {
    let pattern = search.map(contains_pattern);
    let lapse = query
        .expiring_within_seconds
        .map(|seconds| clock::after(reader.now(), seconds));
    let column = match query.sort.unwrap_or_default() {
        UserSort::CreatedAt => "created_at",
        UserSort::Username => "username_key",
        UserSort::DisplayName => "lower(display_name)",
        UserSort::FirstName => "lower(first_name)",
        UserSort::LastName => "lower(last_name)",
        UserSort::Email => "email_key",
        UserSort::Role => "role",
        UserSort::ExpiresAt => "expires_at",
    };
    let direction = if query.descending { "DESC" } else { "ASC" };
    let sql = format!(
        r"
        SELECT {COLUMNS}
        FROM users
        {FILTER}
        ORDER BY {column} {direction}, id {direction}
        LIMIT ?6 OFFSET ?7"
    );
    let params = params![
        pattern.as_ref(),
        query.status,
        query.role,
        query.group_id.as_ref(),
        lapse,
        page.limit,
        page.offset(),
    ];
    let users = reader.query_all(&sql, params, from_row)?;
    users
        .into_iter()
        .map(|user| with_groups_and_claims(reader, user))
        .collect()
}
