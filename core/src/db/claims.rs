use super::{Reader, Row, Writer, columns::columns, params};
use crate::{
    error::Result,
    model::{
        claims::Claim,
        ids::{GroupId, SignupTokenId, UserId},
    },
};

columns! { OF_USER = user_claims (key, value) kept (user_id) }
columns! { OF_GROUP = group_claims (key, value) kept (group_id) }
columns! { OF_SIGNUP_TOKEN = signup_token_claims (key, value) kept (token_id) }

fn from_row(row: &Row<'_, '_>) -> Result<Claim> {
    Ok(Claim {
        key: row.get("key")?,
        value: row.get("value")?,
    })
}

pub(crate) fn of_user(reader: &Reader<'_>, user_id: &UserId) -> Result<Vec<Claim>> {
    let sql = format!("SELECT {OF_USER} FROM user_claims WHERE user_id = ?1 ORDER BY key");
    reader.query_all(&sql, params![user_id], from_row)
}

pub(crate) fn of_group(reader: &Reader<'_>, group_id: &GroupId) -> Result<Vec<Claim>> {
    let sql = format!("SELECT {OF_GROUP} FROM group_claims WHERE group_id = ?1 ORDER BY key");
    reader.query_all(&sql, params![group_id], from_row)
}

pub(crate) fn of_signup_token(reader: &Reader<'_>, token_id: &SignupTokenId) -> Result<Vec<Claim>> {
    let sql = format!(
        "SELECT {OF_SIGNUP_TOKEN} FROM signup_token_claims WHERE token_id = ?1 ORDER BY key"
    );
    reader.query_all(&sql, params![token_id], from_row)
}

pub(crate) fn replace_of_user(
    writer: &Writer<'_>,
    user_id: &UserId,
    claims: &[Claim],
) -> Result<()> {
    writer.execute(
        "DELETE FROM user_claims WHERE user_id = ?1",
        params![user_id],
    )?;
    for claim in claims {
        OF_USER.insert(writer, params![&claim.key, &claim.value], params![user_id])?;
    }
    Ok(())
}

pub(crate) fn replace_of_group(
    writer: &Writer<'_>,
    group_id: &GroupId,
    claims: &[Claim],
) -> Result<()> {
    writer.execute(
        "DELETE FROM group_claims WHERE group_id = ?1",
        params![group_id],
    )?;
    for claim in claims {
        OF_GROUP.insert(writer, params![&claim.key, &claim.value], params![group_id])?;
    }
    Ok(())
}

pub(crate) fn replace_of_signup_token(
    writer: &Writer<'_>,
    token_id: &SignupTokenId,
    claims: &[Claim],
) -> Result<()> {
    writer.execute(
        "DELETE FROM signup_token_claims WHERE token_id = ?1",
        params![token_id],
    )?;
    for claim in claims {
        OF_SIGNUP_TOKEN.insert(writer, params![&claim.key, &claim.value], params![token_id])?;
    }
    Ok(())
}

/// A user's own claims by key, then those of their groups, of the first by name first.
pub(crate) fn list_all_of_user(reader: &Reader<'_>, user_id: &UserId) -> Result<Vec<Claim>> {
    reader.query_all(
        r"
        SELECT key, value
        FROM (
            SELECT key, value, 0 AS place, '' AS giver
            FROM user_claims
            WHERE user_id = ?1
            UNION ALL
            SELECT group_claims.key, group_claims.value, 1, groups.name_key
            FROM group_members
            JOIN groups ON groups.id = group_members.group_id
            JOIN group_claims ON group_claims.group_id = groups.id
            WHERE group_members.user_id = ?1
        ) AS all_claims
        ORDER BY place, giver, key",
        params![user_id],
        from_row,
    )
}

pub(crate) fn list_keys(reader: &Reader<'_>) -> Result<Vec<String>> {
    let sql = "SELECT key FROM user_claims UNION SELECT key FROM group_claims ORDER BY 1";
    reader.query_all(sql, &[], |row| row.at(0))
}
