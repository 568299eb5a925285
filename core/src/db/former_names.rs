use super::{Reader, Writer, params};
use crate::{
    error::Result,
    model::{ids::UserId, users::NameKind},
};

/// Somebody has this name no more, in its folded form.
pub(crate) fn insert(
    writer: &Writer<'_>,
    kind: NameKind,
    folded: &str,
    user_id: &UserId,
) -> Result<()> {
    // The last one who had it is the one with the highest id.
    writer.execute(
        "DELETE FROM former_names WHERE kind = ?1 AND name_key = ?2 AND user_id = ?3",
        params![kind, folded, user_id],
    )?;
    writer.execute(
        "INSERT INTO former_names (kind, name_key, user_id, until) VALUES (?1, ?2, ?3, ?4)",
        params![kind, folded, user_id, writer.now()],
    )?;
    Ok(())
}

/// The last one who had this name and has it no more.
pub(crate) fn find_last_owner(
    reader: &Reader<'_>,
    kind: NameKind,
    folded: &str,
) -> Result<Option<UserId>> {
    reader.query_one(
        "SELECT user_id FROM former_names WHERE kind = ?1 AND name_key = ?2 ORDER BY id DESC LIMIT 1",
        params![kind, folded],
        |row| row.at(0),
    )
}

pub(crate) fn delete_of_user(writer: &Writer<'_>, user_id: &UserId) -> Result<()> {
    writer.execute(
        "DELETE FROM former_names WHERE user_id = ?1",
        params![user_id],
    )?;
    Ok(())
}
