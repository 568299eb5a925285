use super::{Reader, params};
use crate::{db, error::Result, model::upkeep::Statistics};

/// All but the size of the file, which the engine knows.
pub(crate) fn get(reader: &Reader<'_>) -> Result<Statistics> {
    let now = reader.now();
    let users = |status: &str| {
        reader.value(
            r"
            SELECT count(*)
            FROM users
            WHERE status = ?1 AND (expires_at IS NULL OR expires_at > ?2)",
            params![status, now],
        )
    };
    let count = |table: &str| reader.value(&format!("SELECT count(*) FROM {table}"), &[]);
    Ok(Statistics {
        active_users: users("active")?,
        pending_users: users("pending")?,
        disabled_users: reader.value(
            "SELECT count(*) FROM users WHERE status = 'disabled'",
            &[],
        )?,
        lapsed_users: reader.value(
            "SELECT count(*) FROM users WHERE status <> 'disabled' AND expires_at <= ?1",
            params![now],
        )?,
        administrators: reader.value(
            r"
            SELECT count(*)
            FROM users
            WHERE role = 'administrator' AND status = 'active' AND (expires_at IS NULL OR expires_at > ?1)",
            params![now],
        )?,
        groups: count("groups")?,
        services: count("services")?,
        passkeys: count("passkeys")?,
        sessions: db::sessions::count(reader, None, now)?,
        api_keys: db::api_keys::count_working(reader, now)?,
        app_passwords: db::app_passwords::count_working(reader, now)?,
        device_logins: db::device_logins::count_open(reader, now)?,
        signup_tokens: db::signup_tokens::count_working(reader, now)?,
        one_time_tokens: reader.value(
            "SELECT count(*) FROM one_time_tokens WHERE expires_at > ?1",
            params![now],
        )?,
        audit_events: count("audit")?,
        bytes: 0,
        schema: reader.value("SELECT schema FROM instance", &[])?,
        created_at: reader.value("SELECT created_at FROM instance", &[])?,
    })
}
