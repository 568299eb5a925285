-- Groups, claims, settings, sign-up, one-time tokens and the limits of wrong tries.

CREATE TABLE groups (
    id            TEXT PRIMARY KEY CHECK (length(id) = 36),
    name          TEXT NOT NULL CHECK (length(name) BETWEEN 2 AND 255),
    name_key      TEXT NOT NULL UNIQUE,
    friendly_name TEXT NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX groups_by_creation ON groups (created_at, id);

CREATE TABLE group_members (
    group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    user_id  TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX group_members_by_user ON group_members (user_id, group_id);

CREATE TABLE user_claims (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key     TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (user_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE group_claims (
    group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    key      TEXT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (group_id, key)
) STRICT, WITHOUT ROWID;

-- A setting that has no row has its default.
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Groups that everybody gets who signs up.
CREATE TABLE default_groups (
    group_id TEXT PRIMARY KEY REFERENCES groups (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE signup_tokens (
    id                       TEXT PRIMARY KEY CHECK (length(id) = 36),
    secret_hash              BLOB NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
    masked                   TEXT NOT NULL,
    note                     TEXT,
    email                    TEXT,             -- an address, or `@domain`: only who has such an address may use it
    expires_at               INTEGER,
    max_uses                 INTEGER CHECK (max_uses >= 1),
    uses                     INTEGER NOT NULL DEFAULT 0 CHECK (uses >= 0),
    approval                 TEXT NOT NULL CHECK (approval IN ('setting', 'needed', 'not_needed')),
    account_lifetime_seconds INTEGER CHECK (account_lifetime_seconds >= 1),
    enabled                  INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    created_by               TEXT,             -- the user who made it, by value
    created_at               INTEGER NOT NULL,
    revoked_at               INTEGER,
    CHECK (max_uses IS NULL OR uses <= max_uses)
) STRICT, WITHOUT ROWID;

CREATE INDEX signup_tokens_by_creation ON signup_tokens (created_at, id);

CREATE TABLE signup_token_groups (
    token_id TEXT NOT NULL REFERENCES signup_tokens (id) ON DELETE CASCADE,
    group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (token_id, group_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX signup_token_groups_by_group ON signup_token_groups (group_id);

CREATE TABLE signup_token_claims (
    token_id TEXT NOT NULL REFERENCES signup_tokens (id) ON DELETE CASCADE,
    key      TEXT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (token_id, key)
) STRICT, WITHOUT ROWID;

-- Every use of a token, by value: it outlives the account (S6).
CREATE TABLE signup_redemptions (
    id         TEXT PRIMARY KEY CHECK (length(id) = 36),
    token_id   TEXT NOT NULL REFERENCES signup_tokens (id) ON DELETE CASCADE,
    user_id    TEXT NOT NULL UNIQUE,
    username   TEXT NOT NULL,
    at         INTEGER NOT NULL,
    address    TEXT,
    user_agent TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX signup_redemptions_by_token ON signup_redemptions (token_id, at);

CREATE TABLE one_time_tokens (
    id                    TEXT PRIMARY KEY CHECK (length(id) = 36),
    secret_hash           BLOB NOT NULL UNIQUE CHECK (length(secret_hash) = 32), -- of a code: an HMAC, when there is a key (C3)
    masked                TEXT NOT NULL,
    is_code               INTEGER NOT NULL CHECK (is_code IN (0, 1)),
    user_id               TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    ceiling_scopes        TEXT NOT NULL,       -- K2: what its session may at most do
    ceiling_administrator INTEGER NOT NULL CHECK (ceiling_administrator IN (0, 1)),
    ceiling_expires_at    INTEGER,             -- and for how long
    created_by            TEXT,
    created_at            INTEGER NOT NULL,
    expires_at            INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX one_time_tokens_by_user ON one_time_tokens (user_id, created_at);
CREATE INDEX one_time_tokens_by_end ON one_time_tokens (expires_at);

-- What is limited by number and time: wrong codes, open sign-ups (C3, S1). Rows of the last hour.
CREATE TABLE attempts (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    kind    TEXT NOT NULL CHECK (kind IN ('wrong_code', 'open_sign_up')),
    source  TEXT NOT NULL,                     -- the address; of IPv6 its /64
    at      INTEGER NOT NULL
) STRICT;

CREATE INDEX attempts_by_source ON attempts (kind, source, at);
CREATE INDEX attempts_by_time ON attempts (kind, at);
