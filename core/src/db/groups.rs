use super::{
    PageRequest, Reader, Row, Sort, Writer, collisions, columns::columns, contains_pattern, params,
};
use crate::{
    db,
    error::Result,
    model::{
        groups::{Group, GroupQuery, GroupSort},
        ids::{GroupId, SignupTokenId, UserId},
    },
    values::text,
};

columns! { COLUMNS = groups (id, name, friendly_name, created_at) kept (name_key, friendly_name_key, search_key) }
const MEMBER_COUNT: &str =
    "(SELECT count(*) FROM group_members WHERE group_members.group_id = groups.id) AS member_count";

fn from_row(row: &Row<'_, '_>) -> Result<Group> {
    Ok(Group {
        id: row.get("id")?,
        name: row.get("name")?,
        friendly_name: row.get("friendly_name")?,
        claims: Vec::new(),
        created_at: row.get("created_at")?,
        member_count: row.get("member_count")?,
    })
}

fn with_claims(reader: &Reader<'_>, mut group: Group) -> Result<Group> {
    group.claims = db::claims::of_group(reader, &group.id)?;
    Ok(group)
}

pub(crate) fn find(reader: &Reader<'_>, id: &GroupId) -> Result<Option<Group>> {
    let sql = format!("SELECT {COLUMNS}, {MEMBER_COUNT} FROM groups WHERE id = ?1");
    let found = reader.query_one(&sql, params![id], from_row)?;
    found.map(|group| with_claims(reader, group)).transpose()
}

pub(crate) fn find_by_name(reader: &Reader<'_>, folded: &str) -> Result<Option<Group>> {
    let sql = format!("SELECT {COLUMNS}, {MEMBER_COUNT} FROM groups WHERE name_key = ?1");
    let found = reader.query_one(&sql, params![folded], from_row)?;
    found.map(|group| with_claims(reader, group)).transpose()
}

/// Its id alone: a group is counted when it is shown, not when somebody is put into it.
pub(crate) fn find_id_by_name(reader: &Reader<'_>, folded: &str) -> Result<Option<GroupId>> {
    let sql = "SELECT id FROM groups WHERE name_key = ?1";
    reader.query_one(sql, params![folded], |row| row.at(0))
}

pub(crate) fn exists(reader: &Reader<'_>, id: &GroupId) -> Result<bool> {
    reader.value(
        "SELECT EXISTS (SELECT 1 FROM groups WHERE id = ?1)",
        params![id],
    )
}

pub(crate) fn other_has_name(reader: &Reader<'_>, id: &GroupId, folded: &str) -> Result<bool> {
    reader.value(
        "SELECT EXISTS (SELECT 1 FROM groups WHERE name_key = ?2 AND id <> ?1)",
        params![id, folded],
    )
}

pub(crate) fn insert(writer: &Writer<'_>, group: &Group) -> Result<()> {
    COLUMNS.insert(
        writer,
        params![
            &group.id,
            &group.name,
            &group.friendly_name,
            group.created_at
        ],
        params![
            &text::folded(&group.name),
            &text::folded(&group.friendly_name),
            &search_key(group),
        ],
    )
}

fn search_key(group: &Group) -> String {
    text::search_key([Some(group.name.as_str()), Some(&group.friendly_name)])
}

fn stored_key(reader: &Reader<'_>, id: &GroupId) -> Result<Option<String>> {
    let sql = "SELECT name_key FROM groups WHERE id = ?1";
    reader.query_one(sql, params![id], |row| row.at(0))
}

/// Stores a group's names. One that another had first keeps the key that it has (G1), and one that it gives up is theirs.
pub(crate) fn update(writer: &Writer<'_>, group: &Group) -> Result<()> {
    let key = text::folded(&group.name);
    let former = stored_key(writer, &group.id)?;
    writer.execute(
        r"
        UPDATE groups
        SET name = ?2, friendly_name = ?3, name_key = CASE WHEN name_key = ?7 THEN ?7 ELSE ?4 END,
            friendly_name_key = ?5, search_key = ?6
        WHERE id = ?1",
        params![
            &group.id,
            &group.name,
            &group.friendly_name,
            &key,
            &text::folded(&group.friendly_name),
            &search_key(group),
            &text::displaced(&key, &group.id.to_string()),
        ],
    )?;
    collisions::settle_groups(writer, former.as_deref())
}

pub(crate) fn delete(writer: &Writer<'_>, id: &GroupId) -> Result<()> {
    let former = stored_key(writer, id)?;
    writer.execute("DELETE FROM groups WHERE id = ?1", params![id])?;
    collisions::settle_groups(writer, former.as_deref())
}

/// The groups of a user, the first by name first.
pub(crate) fn of_user(reader: &Reader<'_>, user_id: &UserId) -> Result<Vec<GroupId>> {
    reader.query_all(
        r"
        SELECT groups.id
        FROM group_members
        JOIN groups ON groups.id = group_members.group_id
        WHERE group_members.user_id = ?1
        ORDER BY groups.name_key",
        params![user_id],
        |row| row.at(0),
    )
}

/// The same, whole.
pub(crate) fn list_of_user(reader: &Reader<'_>, user_id: &UserId) -> Result<Vec<Group>> {
    let query = GroupQuery {
        user_id: Some(*user_id),
        sort: Some(GroupSort::Name),
        ..GroupQuery::default()
    };
    list(reader, &query, None, PageRequest::ALL)
}

/// Their names.
pub(crate) fn names_of_user(reader: &Reader<'_>, user_id: &UserId) -> Result<Vec<String>> {
    reader.query_all(
        r"
        SELECT groups.name
        FROM group_members
        JOIN groups ON groups.id = group_members.group_id
        WHERE group_members.user_id = ?1
        ORDER BY groups.name_key",
        params![user_id],
        |row| row.at(0),
    )
}

/// The groups that a sign-up token gives.
pub(crate) fn of_signup_token(
    reader: &Reader<'_>,
    token_id: &SignupTokenId,
) -> Result<Vec<GroupId>> {
    reader.query_all(
        r"
        SELECT groups.id
        FROM signup_token_groups
        JOIN groups ON groups.id = signup_token_groups.group_id
        WHERE signup_token_groups.token_id = ?1
        ORDER BY groups.name_key",
        params![token_id],
        |row| row.at(0),
    )
}

/// The groups that everybody gets who signs up.
pub(crate) fn defaults(reader: &Reader<'_>) -> Result<Vec<GroupId>> {
    reader.query_all(
        r"
        SELECT groups.id
        FROM default_groups
        JOIN groups ON groups.id = default_groups.group_id
        ORDER BY groups.name_key",
        &[],
        |row| row.at(0),
    )
}

pub(crate) fn replace_defaults(writer: &Writer<'_>, ids: &[GroupId]) -> Result<()> {
    writer.execute("DELETE FROM default_groups", &[])?;
    for id in ids {
        let sql = "INSERT INTO default_groups (group_id) VALUES (?1) ON CONFLICT DO NOTHING";
        writer.execute(sql, params![id])?;
    }
    Ok(())
}

pub(crate) fn replace_of_signup_token(
    writer: &Writer<'_>,
    token_id: &SignupTokenId,
    ids: &[GroupId],
) -> Result<()> {
    writer.execute(
        "DELETE FROM signup_token_groups WHERE token_id = ?1",
        params![token_id],
    )?;
    for id in ids {
        writer.execute(
            "INSERT INTO signup_token_groups (token_id, group_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![token_id, id],
        )?;
    }
    Ok(())
}

pub(crate) fn add_member(writer: &Writer<'_>, id: &GroupId, user_id: &UserId) -> Result<()> {
    writer.execute(
        "INSERT INTO group_members (group_id, user_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![id, user_id],
    )?;
    Ok(())
}

/// In no order that matters.
pub(crate) fn members(reader: &Reader<'_>, id: &GroupId) -> Result<Vec<UserId>> {
    let sql = "SELECT user_id FROM group_members WHERE group_id = ?1 ORDER BY user_id";
    reader.query_all(sql, params![id], |row| row.at(0))
}

pub(crate) fn replace_members(
    writer: &Writer<'_>,
    id: &GroupId,
    user_ids: &[UserId],
) -> Result<()> {
    writer.execute("DELETE FROM group_members WHERE group_id = ?1", params![id])?;
    user_ids
        .iter()
        .try_for_each(|user_id| add_member(writer, id, user_id))
}

pub(crate) fn replace_of_user(
    writer: &Writer<'_>,
    user_id: &UserId,
    ids: &[GroupId],
) -> Result<()> {
    writer.execute(
        "DELETE FROM group_members WHERE user_id = ?1",
        params![user_id],
    )?;
    ids.iter()
        .try_for_each(|id| add_member(writer, id, user_id))
}

const FILTER: &str = r"
    WHERE (CAST(?1 AS TEXT) IS NULL OR search_key LIKE ?1 ESCAPE '\')
      AND (CAST(?2 AS TEXT) IS NULL OR id IN (SELECT group_id FROM group_members WHERE user_id = ?2))";

pub(crate) fn count(reader: &Reader<'_>, query: &GroupQuery, search: Option<&str>) -> Result<i64> {
    let pattern = search.map(contains_pattern);
    reader.value(
        &format!("SELECT count(*) FROM groups {FILTER}"),
        params![pattern.as_ref(), query.user_id.as_ref()],
    )
}

pub(crate) fn list(
    reader: &Reader<'_>,
    query: &GroupQuery,
    search: Option<&str>,
    page: PageRequest,
) -> Result<Vec<Group>> {
    let pattern = search.map(contains_pattern);
    let sort = match query.sort.unwrap_or_default() {
        GroupSort::CreatedAt => Sort::Filled("created_at"),
        GroupSort::Name => Sort::Filled("name_key"),
        GroupSort::FriendlyName => Sort::Filled("friendly_name_key"),
        GroupSort::MemberCount => Sort::Filled("member_count"),
    };
    let order = sort.order(query.descending);
    let sql = format!(
        r"
        SELECT {COLUMNS}, {MEMBER_COUNT}
        FROM groups
        {FILTER}
        ORDER BY {order}
        LIMIT ?3 OFFSET ?4"
    );
    let params = params![
        pattern.as_ref(),
        query.user_id.as_ref(),
        page.limit,
        page.offset()
    ];
    let groups = reader.query_all(&sql, params, from_row)?;
    groups
        .into_iter()
        .map(|group| with_claims(reader, group))
        .collect()
}
