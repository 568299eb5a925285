use std::time::SystemTime;

use super::{PageRequest, Reader, Row, Sort, Writer, columns::columns, contains_pattern, params};
use crate::{
    clock, db,
    error::Result,
    model::{
        ids::UserId,
        users::{User, UserQuery, UserSort},
    },
    values::text,
};

columns! {
    pub(super) COLUMNS = users (
        id, username, email, email_verified, display_name, first_name, last_name, locale, external_id, role, status,
        expires_at, created_at, updated_at
    ) kept (username_key, email_key, display_name_key, first_name_key, last_name_key)
}

pub(super) fn from_row(row: &Row<'_, '_>) -> Result<User> {
    Ok(User {
        id: row.get("id")?,
        username: row.get("username")?,
        email: row.get("email")?,
        email_verified: row.get("email_verified")?,
        display_name: row.get("display_name")?,
        first_name: row.get("first_name")?,
        last_name: row.get("last_name")?,
        locale: row.get("locale")?,
        external_id: row.get("external_id")?,
        group_ids: Vec::new(),
        claims: Vec::new(),
        role: row.get("role")?,
        status: row.get("status")?,
        expires_at: row.get("expires_at")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
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
    let keys = Keys::of(user);
    COLUMNS.insert(
        writer,
        params![
            &user.id,
            &user.username,
            user.email.as_ref(),
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
        params![
            &keys.username,
            keys.email.as_ref(),
            keys.display_name.as_ref(),
            keys.first_name.as_ref(),
            keys.last_name.as_ref(),
        ],
    )
}

/// The folded forms of names, by which they are compared, found and sorted.
struct Keys {
    username: String,
    email: Option<String>,
    display_name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
}

impl Keys {
    fn of(user: &User) -> Self {
        let folded = |text: &Option<String>| text.as_deref().map(text::folded);
        Self {
            username: text::folded(&user.username),
            email: folded(&user.email),
            display_name: folded(&user.display_name),
            first_name: folded(&user.first_name),
            last_name: folded(&user.last_name),
        }
    }
}

pub(crate) fn update(writer: &Writer<'_>, user: &User) -> Result<()> {
    let keys = Keys::of(user);
    writer.execute(
        r"
        UPDATE users
        SET username = ?2, email = ?3, email_verified = ?4, display_name = ?5, first_name = ?6, last_name = ?7,
            locale = ?8, external_id = ?9, role = ?10, status = ?11, expires_at = ?12, updated_at = ?13,
            username_key = ?14, email_key = ?15, display_name_key = ?16, first_name_key = ?17, last_name_key = ?18
        WHERE id = ?1",
        params![
            &user.id,
            &user.username,
            user.email.as_ref(),
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
            &keys.username,
            keys.email.as_ref(),
            keys.display_name.as_ref(),
            keys.first_name.as_ref(),
            keys.last_name.as_ref(),
        ],
    )?;
    Ok(())
}

/// Somebody who was never let in: only their id is remembered.
pub(crate) fn delete_unapproved(writer: &Writer<'_>, user: &User, now: SystemTime) -> Result<()> {
    writer.execute(
        "INSERT INTO deleted_users (id, username_key, deleted_at) VALUES (?1, '', ?2)",
        params![&user.id, now],
    )?;
    writer.execute("DELETE FROM users WHERE id = ?1", params![&user.id])?;
    Ok(())
}

/// With everything that refers to them. Their id and name are remembered.
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

/// Does another user have this folded text as their username or e-mail address?
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
pub(crate) fn count_lasting_administrators(reader: &Reader<'_>, with_passkey: bool) -> Result<i64> {
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
    WHERE (CAST(?1 AS TEXT) IS NULL
           OR username_key LIKE ?1 ESCAPE '\' OR email_key LIKE ?1 ESCAPE '\' OR display_name_key LIKE ?1 ESCAPE '\'
           OR first_name_key LIKE ?1 ESCAPE '\' OR last_name_key LIKE ?1 ESCAPE '\')
      AND (CAST(?2 AS TEXT) IS NULL OR status = ?2)
      AND (CAST(?3 AS TEXT) IS NULL OR role = ?3)
      AND (CAST(?4 AS TEXT) IS NULL OR id IN (SELECT user_id FROM group_members WHERE group_id = ?4))
      AND (CAST(?5 AS BIGINT) IS NULL OR expires_at <= ?5)";

pub(crate) fn count(reader: &Reader<'_>, query: &UserQuery, search: Option<&str>) -> Result<i64> {
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
    let sort = match query.sort.unwrap_or_default() {
        UserSort::CreatedAt => Sort::Filled("created_at"),
        UserSort::Username => Sort::Filled("username_key"),
        UserSort::DisplayName => Sort::Nullable("display_name_key"),
        UserSort::FirstName => Sort::Nullable("first_name_key"),
        UserSort::LastName => Sort::Nullable("last_name_key"),
        UserSort::Email => Sort::Nullable("email_key"),
        UserSort::Role => Sort::Filled("role"),
        UserSort::ExpiresAt => Sort::Nullable("expires_at"),
    };
    let order = sort.order(query.descending);
    let sql = format!(
        r"
        SELECT {COLUMNS}
        FROM users
        {FILTER}
        ORDER BY {order}
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
