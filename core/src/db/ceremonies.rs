use std::time::SystemTime;

use super::{Reader, Row, Writer, columns::columns, malformed, params};
use crate::{
    error::Result,
    model::passkeys::{SealingKey, StoredCeremony},
    values::tokens::SecretHash,
};

columns! { COLUMNS = ceremonies (kind, user_id, session_id, source, state, expires_at) kept (token_hash) }
// Their ids are the database's to give.
columns! { OF_SEALING_KEY = sealing_keys (key, created_at) kept () }

pub(crate) fn insert(
    writer: &Writer<'_>,
    token_hash: &SecretHash,
    ceremony: &StoredCeremony,
) -> Result<()> {
    let (user_id, session_id) = match &ceremony.owner {
        Some((user_id, session_id)) => (Some(user_id), Some(session_id)),
        None => (None, None),
    };
    COLUMNS.insert(
        writer,
        params![
            ceremony.kind,
            user_id,
            session_id,
            ceremony.source.as_ref(),
            &ceremony.state,
            ceremony.expires_at,
        ],
        params![token_hash],
    )
}

pub(crate) fn find(reader: &Reader<'_>, token_hash: &SecretHash) -> Result<Option<StoredCeremony>> {
    reader.query_one(
        &format!("SELECT {COLUMNS} FROM ceremonies WHERE token_hash = ?1"),
        params![token_hash],
        |row| {
            let kind = row.get("kind")?;
            let user_id: Option<_> = row.get("user_id")?;
            Ok(StoredCeremony {
                kind,
                owner: user_id.zip(row.get("session_id")?),
                source: row.get("source")?,
                state: row.get("state")?,
                expires_at: row.get("expires_at")?,
            })
        },
    )
}

/// False when there is none, or no longer.
pub(crate) fn delete(writer: &Writer<'_>, token_hash: &SecretHash) -> Result<bool> {
    let deleted = writer.execute(
        "DELETE FROM ceremonies WHERE token_hash = ?1",
        params![token_hash],
    )?;
    Ok(deleted == 1)
}

/// How many sign-ups have begun from there and may still be finished.
pub(crate) fn count_from(reader: &Reader<'_>, source: &str, now: SystemTime) -> Result<i64> {
    reader.value(
        "SELECT count(*) FROM ceremonies WHERE source = ?1 AND expires_at > ?2",
        params![source, now],
    )
}

pub(crate) fn forget_expired(writer: &Writer<'_>, before: SystemTime) -> Result<()> {
    writer.execute(
        "DELETE FROM ceremonies WHERE expires_at < ?1",
        params![before],
    )?;
    Ok(())
}

pub(crate) fn is_spent(reader: &Reader<'_>, challenge_hash: &SecretHash) -> Result<bool> {
    reader.value(
        "SELECT EXISTS (SELECT 1 FROM spent_challenges WHERE challenge_hash = ?1)",
        params![challenge_hash],
    )
}

/// False when it was spent before.
///
/// An index by their ends would cost each sign-in a page of its commit. Instead, about one in 64 reads them all and
/// forgets those that nobody could use again in any case.
pub(crate) fn spend_challenge(
    writer: &Writer<'_>,
    challenge_hash: &SecretHash,
    now: SystemTime,
    until: SystemTime,
) -> Result<bool> {
    if challenge_hash[0] < 4 {
        writer.execute(
            "DELETE FROM spent_challenges WHERE until <= ?1",
            params![now],
        )?;
    }
    let inserted = writer.execute(
        r"
        INSERT INTO spent_challenges (challenge_hash, until)
        VALUES (?1, ?2)
        ON CONFLICT (challenge_hash) DO NOTHING",
        params![challenge_hash, until],
    )?;
    Ok(inserted == 1)
}

fn key_from_row(row: &Row<'_, '_>) -> Result<SealingKey> {
    let id = row.get("id")?;
    let bytes: Vec<u8> = row.get("key")?;
    Ok(SealingKey {
        id,
        bytes: bytes.try_into().map_err(|_| malformed("key"))?,
        created_at: row.get("created_at")?,
    })
}

pub(crate) fn newest_sealing_key(reader: &Reader<'_>) -> Result<Option<SealingKey>> {
    reader.query_one(
        &format!("SELECT id, {OF_SEALING_KEY} FROM sealing_keys ORDER BY id DESC LIMIT 1"),
        &[],
        key_from_row,
    )
}

pub(crate) fn sealing_key(reader: &Reader<'_>, id: i64) -> Result<Option<SealingKey>> {
    reader.query_one(
        &format!("SELECT id, {OF_SEALING_KEY} FROM sealing_keys WHERE id = ?1"),
        params![id],
        key_from_row,
    )
}

pub(crate) fn insert_sealing_key(
    writer: &Writer<'_>,
    key: &[u8; 32],
    now: SystemTime,
) -> Result<SealingKey> {
    let insertion = OF_SEALING_KEY.insertion();
    let id = writer.value(&format!("{insertion} RETURNING id"), params![key, now])?;
    Ok(SealingKey {
        id,
        bytes: *key,
        created_at: now,
    })
}

/// All but the newest: the others seal no more since that one is there.
pub(crate) fn forget_older_sealing_keys(writer: &Writer<'_>) -> Result<()> {
    writer.execute(
        "DELETE FROM sealing_keys WHERE id < (SELECT max(id) FROM sealing_keys)",
        &[],
    )?;
    Ok(())
}

/// Nothing that was begun can be finished (C5, D8); gives how many that were stored.
pub(crate) fn forget_everything(writer: &Writer<'_>) -> Result<usize> {
    writer.execute("DELETE FROM sealing_keys", &[])?;
    writer.execute("DELETE FROM spent_challenges", &[])?;
    writer.execute("DELETE FROM ceremonies", &[])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        clock::Clock,
        db::{Engine, Options},
    };

    /// The hash of a challenge; one in 64 begins with less than 4.
    fn hash(first: u8, number: u8) -> SecretHash {
        let mut hash = [number; 32];
        hash[0] = first;
        hash
    }

    #[test]
    fn a_few_challenges_clear_up_behind_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            path: folder.path().join("id.db"),
            busy_timeout: Duration::from_secs(1),
            allow_shared_file: false,
        };
        let engine = Engine::open(options, Clock::new(None)).unwrap();
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let spend = |hash: SecretHash, seconds: u64| {
            let now = start + Duration::from_secs(seconds);
            let until = now + Duration::from_secs(600);
            let spent = engine.write(|writer| spend_challenge(writer, &hash, now, until));
            assert!(spent.unwrap());
        };
        let is_spent = |hash: SecretHash| engine.read(|reader| is_spent(reader, &hash)).unwrap();

        for number in 0..100 {
            spend(hash(200, number), 0);
        }
        spend(hash(4, 0), 600);
        assert!(is_spent(hash(200, 0)), "not each of them clears up");
        spend(hash(3, 1), 599);
        assert!(is_spent(hash(200, 0)), "nor too early");
        spend(hash(3, 2), 600);
        for number in 0..100 {
            assert!(!is_spent(hash(200, number)));
        }
        assert!(is_spent(hash(4, 0)) && is_spent(hash(3, 1)) && is_spent(hash(3, 2)));
    }
}
