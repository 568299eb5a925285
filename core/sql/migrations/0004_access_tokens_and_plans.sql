-- Keys that sign access tokens, the secrets that plans gave to API keys, and the mark of a back-up.

ALTER TABLE instance ADD COLUMN backed_up_at INTEGER;

ALTER TABLE api_keys ADD COLUMN supplied_hash BLOB CHECK (length(supplied_hash) = 32);

CREATE TABLE signing_keys (
    id          TEXT PRIMARY KEY CHECK (length(id) = 36),
    public_key  BLOB NOT NULL CHECK (length(public_key) = 32),
    private_key BLOB,
    is_sealed   INTEGER NOT NULL CHECK (is_sealed IN (0, 1)),
    created_at  INTEGER NOT NULL,
    ends_at     INTEGER,
    CHECK ((private_key IS NULL) = (ends_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX signing_keys_that_sign ON signing_keys (ends_at IS NULL) WHERE ends_at IS NULL;

CREATE TABLE plan_users (
    name_key TEXT PRIMARY KEY,
    user_id  TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX plan_users_by_user ON plan_users (user_id);

CREATE TABLE plan_secrets (
    secret_hash BLOB PRIMARY KEY CHECK (length(secret_hash) = 32)
) STRICT, WITHOUT ROWID;
