use super::{
    PageRequest, Reader, Row, Sort, Writer,
    collisions::{self, Keys as NameKeys},
    columns::columns,
    contains_pattern, params,
};
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
        id, username, email, email_verified, email_held, display_name, first_name, last_name, locale, external_id, role,
        status, expires_at, created_at, updated_at
    ) kept (username_key, username_email_key, email_key, display_name_key, first_name_key, last_name_key, search_key)
}

pub(super) fn from_row(row: &Row<'_, '_>) -> Result<User> {
    let user = User {
        id: row.get("id")?,
        username: row.get("username")?,
        email: row.get("email")?,
        email_verified: row.get("email_verified")?,
        email_held: row.get("email_held")?,
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
    };
    // Older versions stored no name for those who gave none.
    let display_name = user.display_name.clone().or_else(|| user.full_name());
    Ok(User {
        display_name,
        ..user
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
    find_by(reader, "username_key = ?1", folded)
}

/// By an address that the user holds, in its folded form.
pub(crate) fn find_by_email(reader: &Reader<'_>, folded: &str) -> Result<Option<User>> {
    find_by(
        reader,
        "email_key = ?1 AND email_held = 1 OR username_email_key = ?1",
        folded,
    )
}

pub(crate) fn find_by_external_id(reader: &Reader<'_>, external_id: &str) -> Result<Option<User>> {
    find_by(reader, "external_id = ?1", external_id)
}

fn find_by(reader: &Reader<'_>, condition: &str, name: &str) -> Result<Option<User>> {
    let sql = format!("SELECT {COLUMNS} FROM users WHERE {condition}");
    let found = reader.query_one(&sql, params![name], from_row)?;
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
            user.email_held,
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
            keys.username_email.as_ref(),
            keys.email.as_ref(),
            keys.display_name.as_ref(),
            keys.first_name.as_ref(),
            keys.last_name.as_ref(),
            &keys.search,
        ],
    )
}

/// The folded forms of names, by which they are compared, found and sorted.
struct Keys {
    username: String,
    username_email: Option<String>,
    email: Option<String>,
    display_name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    search: String,
}

impl Keys {
    fn of(user: &User) -> Self {
        let folded = |text: &Option<String>| text.as_deref().map(text::folded);
        Self {
            username: text::name_key(&user.username),
            username_email: text::address_of_username(&user.username),
            email: user.email.as_deref().map(text::name_key),
            display_name: folded(&user.display_name),
            first_name: folded(&user.first_name),
            last_name: folded(&user.last_name),
            search: text::person_search_key([
                Some(&user.username),
                user.email.as_deref(),
                user.display_name.as_deref(),
                user.first_name.as_deref(),
                user.last_name.as_deref(),
                user.external_id.as_deref(),
            ]),
        }
    }
}

/// A username that is only written otherwise holds the address that it held before, or none. Names that another had first
/// keep the keys that they have, and those that the user gives up are the other's (U1).
pub(crate) fn update(writer: &Writer<'_>, user: &User) -> Result<()> {
    let keys = Keys::of(user);
    let before = name_keys(writer, &user.id)?;
    let displaced = |key: &str| text::displaced(key, &user.id.to_string());
    writer.execute(
        r"
        UPDATE users
        SET username = ?2, email = ?3, email_verified = ?4, email_held = ?5, display_name = ?6, first_name = ?7,
            last_name = ?8, locale = ?9, external_id = ?10, role = ?11, status = ?12, expires_at = ?13,
            updated_at = ?14,
            username_email_key = CASE WHEN username_key = ?15 OR username_key = ?22 THEN username_email_key
                                      ELSE CAST(?16 AS TEXT) END,
            username_key = CASE WHEN username_key = ?22 THEN ?22 ELSE ?15 END,
            email_key = CASE WHEN email_key = ?23 THEN ?23 ELSE ?17 END,
            display_name_key = ?18, first_name_key = ?19, last_name_key = ?20, search_key = ?21
        WHERE id = ?1",
        params![
            &user.id,
            &user.username,
            user.email.as_ref(),
            user.email_verified,
            user.email_held,
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
            keys.username_email.as_ref(),
            keys.email.as_ref(),
            keys.display_name.as_ref(),
            keys.first_name.as_ref(),
            keys.last_name.as_ref(),
            &keys.search,
            &displaced(&keys.username),
            keys.email.as_deref().map(displaced).as_ref(),
        ],
    )?;
    let after = name_keys(writer, &user.id)?;
    collisions::settle_users(writer, &before.without(&after))
}

/// By what the user is found.
fn name_keys(reader: &Reader<'_>, id: &UserId) -> Result<NameKeys> {
    let sql = r"
        SELECT username_key, username_email_key, CASE WHEN email_held = 1 THEN email_key END
        FROM users
        WHERE id = ?1";
    let found = reader.query_one(sql, params![id], |row| {
        let addresses = [row.at::<Option<String>>(1)?, row.at(2)?];
        Ok(NameKeys {
            usernames: vec![row.at(0)?],
            addresses: addresses.into_iter().flatten().collect(),
        })
    })?;
    Ok(found.unwrap_or_default())
}

/// With all that refers to the user; the id is remembered.
pub(crate) fn delete(writer: &Writer<'_>, id: &UserId) -> Result<()> {
    writer.execute(
        "INSERT INTO deleted_users (id, deleted_at) VALUES (?1, ?2)",
        params![id, writer.now()],
    )?;
    remove(writer, id)
}

fn remove(writer: &Writer<'_>, id: &UserId) -> Result<()> {
    let former = name_keys(writer, id)?;
    writer.execute("DELETE FROM users WHERE id = ?1", params![id])?;
    collisions::settle_users(writer, &former)
}

pub(crate) fn id_was_used(reader: &Reader<'_>, id: &UserId) -> Result<bool> {
    reader.value(
        r"
        SELECT EXISTS (SELECT 1 FROM users WHERE id = ?1)
            OR EXISTS (SELECT 1 FROM deleted_users WHERE id = ?1)",
        params![id],
    )
}

/// The addresses that a user holds, in their folded form: by the username, and the e-mail address.
pub(crate) fn held_addresses(
    reader: &Reader<'_>,
    id: &UserId,
) -> Result<(Option<String>, Option<String>)> {
    let sql = r"
        SELECT username_email_key, CASE WHEN email_held = 1 THEN email_key END
        FROM users
        WHERE id = ?1";
    // One that an older user had first is still this user's to keep (U1).
    let own =
        |key: Option<String>| key.map(|key| text::undisplaced(&key).unwrap_or(&key).to_owned());
    let found = reader.query_one(sql, params![id], |row| {
        Ok((own(row.at(0)?), own(row.at(1)?)))
    })?;
    Ok(found.unwrap_or_default())
}

/// Does another user have this username, in its folded form?
pub(crate) fn other_has_username(reader: &Reader<'_>, id: &UserId, folded: &str) -> Result<bool> {
    reader.value(
        "SELECT EXISTS (SELECT 1 FROM users WHERE username_key = ?2 AND id <> ?1)",
        params![id, folded],
    )
}

/// Does another user hold this address, in its folded form?
pub(crate) fn other_holds(reader: &Reader<'_>, id: &UserId, folded: &str) -> Result<bool> {
    reader.value(
        r"
        SELECT EXISTS (SELECT 1 FROM users WHERE email_key = ?2 AND email_held = 1 AND id <> ?1)
            OR EXISTS (SELECT 1 FROM users WHERE username_email_key = ?2 AND id <> ?1)",
        params![id, folded],
    )
}

/// Those who have this address, in its folded form, and do not hold it.
pub(crate) fn list_who_typed(reader: &Reader<'_>, folded: &str) -> Result<Vec<User>> {
    let sql = format!(
        r"
        SELECT {COLUMNS}
        FROM users
        WHERE email_key = ?1 AND email_held = 0
        ORDER BY id"
    );
    reader.query_all(&sql, params![folded], from_row)
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

/// What `from_row` shows, folded: older versions stored no display name for those who gave none.
const SHOWN_NAME_KEY: &str = "coalesce(display_name_key, first_name_key || ' ' || last_name_key, first_name_key, last_name_key)";

const FILTER: &str = r"
    WHERE (CAST(?1 AS TEXT) IS NULL OR search_key LIKE ?1 ESCAPE '\')
      AND (CAST(?2 AS TEXT) IS NULL OR status = ?2)
      AND (CAST(?3 AS TEXT) IS NULL OR role = ?3)
      AND (CAST(?4 AS TEXT) IS NULL OR id IN (SELECT user_id FROM group_members WHERE group_id = ?4))
      AND (CAST(?5 AS BIGINT) IS NULL OR expires_at <= ?5)
      AND (CAST(?6 AS BIGINT) IS NULL OR CASE WHEN status = 'disabled' THEN 1 ELSE 0 END = ?6)
      AND (CAST(?7 AS BIGINT) IS NULL OR email_verified = ?7)";

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
            lapse,
            query.disabled,
            query.email_verified
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
        UserSort::DisplayName => Sort::Nullable(SHOWN_NAME_KEY),
        UserSort::FirstName => Sort::Nullable("first_name_key"),
        UserSort::LastName => Sort::Nullable("last_name_key"),
        UserSort::Email => Sort::Nullable("email_key"),
        UserSort::Role => Sort::Filled("role"),
        UserSort::ExpiresAt => Sort::Nullable("expires_at"),
        UserSort::EmailVerified => Sort::Filled("email_verified"),
        UserSort::Disabled => Sort::Filled("CASE WHEN status = 'disabled' THEN 1 ELSE 0 END"),
    };
    let order = sort.order(query.descending);
    let sql = format!(
        r"
        SELECT {COLUMNS}
        FROM users
        {FILTER}
        ORDER BY {order}
        LIMIT ?8 OFFSET ?9"
    );
    let params = params![
        pattern.as_ref(),
        query.status,
        query.role,
        query.group_id.as_ref(),
        lapse,
        query.disabled,
        query.email_verified,
        page.limit,
        page.offset(),
    ];
    let users = reader.query_all(&sql, params, from_row)?;
    users
        .into_iter()
        .map(|user| with_groups_and_claims(reader, user))
        .collect()
}
