//! The floors: what the job costs with the driver and the hash alone.

use std::path::Path;

use rusqlite::{Connection, params};

use crate::data::{connect, hash, millis, now};

pub(crate) struct Floor(Connection);

impl Floor {
    pub(crate) fn open(path: &Path) -> Self {
        let connection = connect(path);
        let _: i64 = connection
            .query_row("SELECT schema FROM instance", [], |row| row.get(0))
            .unwrap();
        Self(connection)
    }

    /// The owner's id and name, and the scopes.
    pub(crate) fn verify_api_key(&self, secret: &str) -> (String, String, String) {
        let now = millis(now());
        let mut statement = self
            .0
            .prepare_cached(
                "SELECT users.id, users.username, api_keys.scopes, users.role
                 FROM api_keys JOIN users ON users.id = api_keys.owner_id
                 WHERE api_keys.secret_hash = ?1 AND api_keys.revoked_at IS NULL
                   AND (api_keys.expires_at IS NULL OR api_keys.expires_at > ?2)
                   AND users.status = 'active' AND (users.expires_at IS NULL OR users.expires_at > ?2)",
            )
            .unwrap();
        statement
            .query_row(params![hash(secret), now], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .unwrap()
    }

    pub(crate) fn verify_session(&self, token: &str) -> (String, String, String) {
        let now = millis(now());
        let mut statement = self
            .0
            .prepare_cached(
                "SELECT users.id, users.username, sessions.id, users.role
                 FROM sessions JOIN users ON users.id = sessions.user_id
                 WHERE sessions.secret_hash = ?1 AND sessions.ended_at IS NULL AND sessions.expires_at > ?2
                   AND sessions.last_seen_at + sessions.idle_seconds * 1000 > ?2
                   AND users.status = 'active' AND (users.expires_at IS NULL OR users.expires_at > ?2)",
            )
            .unwrap();
        statement
            .query_row(params![hash(token), now], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .unwrap()
    }

    /// The owner's id, if it is theirs by that name.
    pub(crate) fn verify_app_password(&self, name: &str, secret: &str) -> (String, String) {
        let now = millis(now());
        let mut statement = self
            .0
            .prepare_cached(
                "SELECT users.id, app_passwords.scopes, users.role
                 FROM app_passwords JOIN users ON users.id = app_passwords.owner_id
                 WHERE app_passwords.secret_hash = ?1 AND users.username_key = ?2
                   AND (app_passwords.expires_at IS NULL OR app_passwords.expires_at > ?3)
                   AND users.status = 'active' AND (users.expires_at IS NULL OR users.expires_at > ?3)",
            )
            .unwrap();
        let secret = secret.replace('-', "").to_uppercase();
        statement
            .query_row(params![hash(&secret), name, now], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap()
    }

    /// One commit: the user and their audit row.
    pub(crate) fn create_user(&self, n: usize) {
        let (name, now) = (format!("user{n}"), millis(now()));
        let id = format!("{n:08x}-0000-7000-8000-000000000000");
        let run = |sql: &str, params: &[&dyn rusqlite::ToSql]| {
            self.0.prepare_cached(sql).unwrap().execute(params).unwrap()
        };
        run("BEGIN IMMEDIATE", &[]);
        run(
            "INSERT INTO users (id, username, username_key, email_verified, role, status, created_at, updated_at)
             VALUES (?1, ?2, ?2, 0, 'user', 'active', ?3, ?3)",
            &[&id, &name, &now],
        );
        run(
            "INSERT INTO audit (at, kind, actor_kind, user_id, username, details, count)
             VALUES (?1, 'user_created', 'host', ?2, ?3, '{}', 1)",
            &[&now, &id, &name],
        );
        run("COMMIT", &[]);
    }

    /// One commit: what a sign-in by passkey must leave (P2, P3, A1), which is a challenge that is spent, the passkey's
    /// counter and last use, a session and its audit row.
    pub(crate) fn sign_in(&self, n: usize) {
        let now = millis(now());
        let id = format!("{n:08x}-0000-7000-8000-000000000000");
        let run = |sql: &str, params: &[&dyn rusqlite::ToSql]| {
            self.0.prepare_cached(sql).unwrap().execute(params).unwrap()
        };
        run("BEGIN IMMEDIATE", &[]);
        if n == 0 {
            run(
                "INSERT INTO users (id, username, username_key, email_verified, role, status, created_at, updated_at)
                 VALUES ('00000000-0000-7000-8000-000000000000', 'bob', 'bob', 0, 'user', 'active', ?1, ?1)",
                &[&now],
            );
            run(
                "INSERT INTO passkeys (credential_id, id, user_id, rp_id, name, public_key, transports,
                     backup_eligible, backup_state, counter, created_at)
                 VALUES (zeroblob(32), '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000000',
                     'media.example', 'Passkey', zeroblob(77), 'internal', 0, 0, 0, ?1)",
                &[&now],
            );
        }
        run(
            "INSERT INTO spent_challenges (challenge_hash, until) VALUES (?1, ?2 + 600000)",
            &[&hash(&format!("challenge {n}")), &now],
        );
        run(
            "UPDATE passkeys SET counter = ?1, last_used_at = ?2 WHERE credential_id = zeroblob(32)",
            &[&(n as i64), &now],
        );
        run(
            "INSERT INTO sessions (secret_hash, id, user_id, method, ceiling_scopes, ceiling_administrator,
                 signed_in_at, stepped_up_at, last_seen_at, idle_seconds, expires_at, masked)
             VALUES (?1, ?2, '00000000-0000-7000-8000-000000000000', 'passkey', '* roles:write', 0, ?3, ?3, ?3,
                 604800, ?3 + 86400000, 'kp_ses_…')",
            &[&hash(&id), &id, &now],
        );
        run(
            "INSERT INTO audit (at, kind, actor_kind, user_id, username, details, count)
             VALUES (?1, 'passkey_signed_in', 'anonymous', ?2, 'bob', '{}', 1)",
            &[&now, &id],
        );
        run("COMMIT", &[]);
    }

    /// One try: the use, the user and the redemption in one transaction, or nothing.
    pub(crate) fn sign_up(&self, username: &str, hash: &[u8]) -> bool {
        let now = millis(now());
        let run = |sql: &str, params: &[&dyn rusqlite::ToSql]| {
            self.0.prepare_cached(sql).unwrap().execute(params)
        };
        while run("BEGIN IMMEDIATE", &[]).is_err() {
            std::thread::sleep(std::time::Duration::from_micros(100));
        }
        let used = run(
            "UPDATE signup_tokens SET uses = uses + 1
             WHERE secret_hash = ?1 AND enabled = 1 AND revoked_at IS NULL AND expires_at > ?2 AND uses < max_uses",
            &[&hash, &now],
        );
        if used.unwrap() == 0 {
            run("ROLLBACK", &[]).unwrap();
            return false;
        }
        let id = format!("{:0>36}", username);
        run(
            "INSERT INTO users (id, username, username_key, email_verified, role, status, created_at, updated_at)
             VALUES (?1, ?2, ?2, 0, 'user', 'active', ?3, ?3)",
            &[&id, &username, &now],
        )
        .unwrap();
        run(
            "INSERT INTO signup_redemptions (id, token_id, user_id, username, at)
             SELECT ?1, id, ?1, ?2, ?3 FROM signup_tokens WHERE secret_hash = ?4",
            &[&id, &username, &now, &hash],
        )
        .unwrap();
        run("COMMIT", &[]).unwrap();
        true
    }
}
