-- Passkeys with their ceremonies, recovery tokens, and services with whom they are open to.

CREATE TABLE relying_party (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    rp_id TEXT NOT NULL
) STRICT;

CREATE TABLE user_handles (
    user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    handle  BLOB NOT NULL UNIQUE CHECK (length(handle) = 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE passkeys (
    credential_id        BLOB PRIMARY KEY CHECK (length(credential_id) BETWEEN 1 AND 1023),
    id                   TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
    user_id              TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    rp_id                TEXT NOT NULL,
    name                 TEXT NOT NULL,
    public_key           BLOB NOT NULL,
    aaguid               TEXT,
    transports           TEXT NOT NULL,
    backup_eligible      INTEGER NOT NULL CHECK (backup_eligible IN (0, 1)),
    backup_state         INTEGER NOT NULL CHECK (backup_state IN (0, 1)),
    counter              INTEGER NOT NULL CHECK (counter >= 0),
    counter_went_back_at INTEGER,
    created_at           INTEGER NOT NULL,
    last_used_at         INTEGER,
    CHECK (backup_eligible = 1 OR backup_state = 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX passkeys_by_user ON passkeys (user_id, created_at);

CREATE TABLE ceremonies (
    token_hash BLOB PRIMARY KEY CHECK (length(token_hash) = 32),
    kind       TEXT NOT NULL CHECK (kind IN ('registration', 'sign_up', 'step_up')),
    user_id    TEXT REFERENCES users (id) ON DELETE CASCADE,
    session_id TEXT,
    source     TEXT,
    state      TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    CHECK ((kind = 'sign_up') = (user_id IS NULL)),
    CHECK ((user_id IS NULL) = (session_id IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX ceremonies_by_end ON ceremonies (expires_at);
CREATE INDEX ceremonies_by_user ON ceremonies (user_id);
CREATE INDEX ceremonies_by_source ON ceremonies (source, expires_at) WHERE source IS NOT NULL;

CREATE TABLE spent_challenges (
    challenge_hash BLOB PRIMARY KEY CHECK (length(challenge_hash) = 32),
    until          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX spent_challenges_by_end ON spent_challenges (until);

CREATE TABLE sealing_keys (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    key        BLOB NOT NULL CHECK (length(key) = 32),
    created_at INTEGER NOT NULL
) STRICT;

ALTER TABLE one_time_tokens ADD COLUMN is_recovery INTEGER NOT NULL DEFAULT 0 CHECK (is_recovery IN (0, 1));

CREATE TABLE services (
    id           TEXT PRIMARY KEY CHECK (length(id) = 36),
    slug         TEXT NOT NULL UNIQUE,
    name         TEXT NOT NULL,
    for_everyone INTEGER NOT NULL CHECK (for_everyone IN (0, 1)),
    created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE service_origins (
    service_id TEXT NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    origin     TEXT NOT NULL,
    PRIMARY KEY (service_id, origin)
) STRICT, WITHOUT ROWID;

CREATE TABLE service_groups (
    service_id TEXT NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    group_id   TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (service_id, group_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX service_groups_by_group ON service_groups (group_id);
