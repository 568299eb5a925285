use std::time::SystemTime;

use super::{PageRequest, Reader, Row, Sort, Writer, columns::columns, params};
use crate::{
    db,
    error::Result,
    model::{
        ids::SignupTokenId,
        signup::SignupRedemption,
        signup_tokens::{SignupToken, SignupTokenQuery, SignupTokenSort, SignupTokenState},
    },
    values::tokens::SecretHash,
};

columns! {
    COLUMNS = signup_tokens (
        id, note, expires_at, max_uses, uses, approval, account_lifetime_seconds, enabled, email, created_by,
        created_at, revoked_at, masked
    ) kept (secret_hash)
}
columns! { OF_REDEMPTION = signup_redemptions (id, token_id, user_id, username, at, address, user_agent) kept () }

fn from_row(row: &Row<'_, '_>) -> Result<SignupToken> {
    Ok(SignupToken {
        id: row.get("id")?,
        note: row.get("note")?,
        state: SignupTokenState::Usable,
        expires_at: row.get("expires_at")?,
        max_uses: row.get("max_uses")?,
        uses: row.get("uses")?,
        group_ids: Vec::new(),
        claims: Vec::new(),
        approval: row.get("approval")?,
        account_lifetime_seconds: row.get("account_lifetime_seconds")?,
        enabled: row.get("enabled")?,
        email: row.get("email")?,
        created_by: row.get("created_by")?,
        created_at: row.get("created_at")?,
        revoked_at: row.get("revoked_at")?,
        masked_secret: row.get("masked")?,
    })
}

fn with_grants(reader: &Reader<'_>, token: SignupToken) -> Result<SignupToken> {
    let mut token = token.with_state(reader.now());
    token.group_ids = db::groups::of_signup_token(reader, &token.id)?;
    token.claims = db::claims::of_signup_token(reader, &token.id)?;
    Ok(token)
}

pub(crate) fn find(reader: &Reader<'_>, id: &SignupTokenId) -> Result<Option<SignupToken>> {
    let sql = format!("SELECT {COLUMNS} FROM signup_tokens WHERE id = ?1");
    let found = reader.query_one(&sql, params![id], from_row)?;
    found.map(|token| with_grants(reader, token)).transpose()
}

/// The one of this note that can still be changed, if there is one; among several the newest.
pub(crate) fn find_by_note(reader: &Reader<'_>, note: &str) -> Result<Option<SignupToken>> {
    let found = reader.query_one(
        &format!(
            r"
            SELECT {COLUMNS}
            FROM signup_tokens
            WHERE note = ?1 AND created_by IS NULL
            ORDER BY revoked_at IS NOT NULL, created_at DESC, id DESC
            LIMIT 1"
        ),
        params![note],
        from_row,
    )?;
    found.map(|token| with_grants(reader, token)).transpose()
}

pub(crate) fn find_by_secret(
    reader: &Reader<'_>,
    hash: &SecretHash,
) -> Result<Option<SignupToken>> {
    let sql = format!("SELECT {COLUMNS} FROM signup_tokens WHERE secret_hash = ?1");
    let found = reader.query_one(&sql, params![hash], from_row)?;
    found.map(|token| with_grants(reader, token)).transpose()
}

pub(crate) fn insert(writer: &Writer<'_>, token: &SignupToken, hash: &SecretHash) -> Result<()> {
    COLUMNS.insert(
        writer,
        params![
            &token.id,
            token.note.as_ref(),
            token.expires_at,
            token.max_uses,
            token.uses,
            token.approval,
            token.account_lifetime_seconds,
            token.enabled,
            token.email.as_ref(),
            token.created_by.as_ref(),
            token.created_at,
            token.revoked_at,
            &token.masked_secret,
        ],
        params![hash],
    )
}

pub(crate) fn update(writer: &Writer<'_>, token: &SignupToken) -> Result<()> {
    writer.execute(
        r"
        UPDATE signup_tokens
        SET note = ?2, email = ?3, expires_at = ?4, max_uses = ?5, approval = ?6, account_lifetime_seconds = ?7,
            enabled = ?8
        WHERE id = ?1",
        params![
            &token.id,
            token.note.as_ref(),
            token.email.as_ref(),
            token.expires_at,
            token.max_uses,
            token.approval,
            token.account_lifetime_seconds,
            token.enabled,
        ],
    )?;
    Ok(())
}

/// True when it had not been revoked before.
pub(crate) fn revoke(writer: &Writer<'_>, id: &SignupTokenId, now: SystemTime) -> Result<bool> {
    let changed = writer.execute(
        "UPDATE signup_tokens SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
        params![id, now],
    )?;
    Ok(changed > 0)
}

/// S4: the one conditional change that a use is. False when it may not be used any more.
pub(crate) fn use_once(writer: &Writer<'_>, id: &SignupTokenId, now: SystemTime) -> Result<bool> {
    let changed = writer.execute(
        r"
        UPDATE signup_tokens
        SET uses = uses + 1
        WHERE id = ?1 AND enabled = 1 AND revoked_at IS NULL
          AND (expires_at IS NULL OR expires_at > ?2)
          AND (max_uses IS NULL OR uses < max_uses)",
        params![id, now],
    )?;
    Ok(changed == 1)
}

pub(crate) fn count_working(reader: &Reader<'_>, now: SystemTime) -> Result<i64> {
    reader.value(
        r"
        SELECT count(*)
        FROM signup_tokens
        WHERE enabled = 1 AND revoked_at IS NULL
          AND (expires_at IS NULL OR expires_at > ?1)
          AND (max_uses IS NULL OR uses < max_uses)",
        params![now],
    )
}

/// Tokens that may be used and were made after that time (C5).
pub(crate) fn count_made_after(reader: &Reader<'_>, now: SystemTime) -> Result<i64> {
    reader.value(
        r"
        SELECT count(*)
        FROM signup_tokens
        WHERE created_at > ?1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?1)
          AND (max_uses IS NULL OR uses < max_uses)",
        params![now],
    )
}

pub(crate) fn count(reader: &Reader<'_>, include_revoked: bool) -> Result<i64> {
    reader.value(
        "SELECT count(*) FROM signup_tokens WHERE ?1 = 1 OR revoked_at IS NULL",
        params![include_revoked],
    )
}

pub(crate) fn list(
    reader: &Reader<'_>,
    query: &SignupTokenQuery,
    page: PageRequest,
) -> Result<Vec<SignupToken>> {
    let sort = match query.sort.unwrap_or_default() {
        SignupTokenSort::CreatedAt => Sort::Filled("created_at"),
        SignupTokenSort::ExpiresAt => Sort::Nullable("expires_at"),
        SignupTokenSort::MaxUses => Sort::Nullable("max_uses"),
        SignupTokenSort::Uses => Sort::Filled("uses"),
    };
    let order = sort.order(!query.ascending);
    let sql = format!(
        r"
        SELECT {COLUMNS}
        FROM signup_tokens
        WHERE ?1 = 1 OR revoked_at IS NULL
        ORDER BY {order}
        LIMIT ?2 OFFSET ?3"
    );
    let tokens = reader.query_all(
        &sql,
        params![query.include_revoked, page.limit, page.offset()],
        from_row,
    )?;
    tokens
        .into_iter()
        .map(|token| with_grants(reader, token))
        .collect()
}

pub(crate) fn insert_redemption(writer: &Writer<'_>, redemption: &SignupRedemption) -> Result<()> {
    OF_REDEMPTION.insert(
        writer,
        params![
            &redemption.id,
            &redemption.token_id,
            &redemption.user_id,
            &redemption.username,
            redemption.at,
            redemption.address.as_ref(),
            redemption.user_agent.as_ref(),
        ],
        params![],
    )
}

pub(crate) fn count_redemptions(
    reader: &Reader<'_>,
    token_id: Option<&SignupTokenId>,
) -> Result<i64> {
    reader.value(
        "SELECT count(*) FROM signup_redemptions WHERE CAST(?1 AS TEXT) IS NULL OR token_id = ?1",
        params![token_id],
    )
}

pub(crate) fn list_redemptions(
    reader: &Reader<'_>,
    token_id: Option<&SignupTokenId>,
    page: PageRequest,
) -> Result<Vec<SignupRedemption>> {
    reader.query_all(
        &format!(
            r"
            SELECT {OF_REDEMPTION}
            FROM signup_redemptions
            WHERE CAST(?1 AS TEXT) IS NULL OR token_id = ?1
            ORDER BY at DESC, id DESC
            LIMIT ?2 OFFSET ?3"
        ),
        params![token_id, page.limit, page.offset()],
        |row| {
            Ok(SignupRedemption {
                id: row.get("id")?,
                token_id: row.get("token_id")?,
                user_id: row.get("user_id")?,
                username: row.get("username")?,
                at: row.get("at")?,
                address: row.get("address")?,
                user_agent: row.get("user_agent")?,
            })
        },
    )
}
