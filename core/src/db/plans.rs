use super::{Reader, Writer, params};
use crate::{error::Result, model::ids::UserId, values::tokens::SecretHash};

/// The user whom plans know by this name.
pub(crate) fn find_user(reader: &Reader<'_>, name_key: &str) -> Result<Option<UserId>> {
    let sql = "SELECT user_id FROM plan_users WHERE name_key = ?1";
    reader.query_one(sql, params![name_key], |row| row.at(0))
}

pub(crate) fn know_user(writer: &Writer<'_>, name_key: &str, user_id: &UserId) -> Result<()> {
    writer.execute(
        "INSERT INTO plan_users (name_key, user_id) VALUES (?1, ?2)",
        params![name_key, user_id],
    )?;
    Ok(())
}

/// Did a plan ever give this secret?
pub(crate) fn knows_secret(reader: &Reader<'_>, hash: &SecretHash) -> Result<bool> {
    let sql = "SELECT count(*) FROM plan_secrets WHERE secret_hash = ?1";
    Ok(reader.value::<i64>(sql, params![hash])? > 0)
}

pub(crate) fn remember_secret(writer: &Writer<'_>, hash: &SecretHash) -> Result<()> {
    writer.execute(
        "INSERT INTO plan_secrets (secret_hash) VALUES (?1) ON CONFLICT (secret_hash) DO NOTHING",
        params![hash],
    )?;
    Ok(())
}
