-- From schema 6 to 7. What each part changes stands under a heading of its own.

-- The file (D8) -------------------------------------------------------------------------------------------------------
-- The file's own id and a count of its commits, by which a log beside it is known to be its own. The library sets the id,
-- which is random; a copy gets one of its own.
ALTER TABLE instance ADD COLUMN file_id BLOB;
ALTER TABLE instance ADD COLUMN commits INTEGER NOT NULL DEFAULT 0;

-- App passwords and device sign-in ----------------------------------------------------------------------------------------

-- A way to sign in that `method` cannot name: the CHECK of a column stays what it was.
ALTER TABLE sessions ADD COLUMN way TEXT CHECK (way IN ('device', 'device_link'));
ALTER TABLE sessions ADD COLUMN parent_session_id TEXT;

CREATE TABLE app_passwords (
    secret_hash           BLOB PRIMARY KEY CHECK (length(secret_hash) = 32),
    id                    TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
    owner_id              TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name                  TEXT NOT NULL,
    name_key              TEXT NOT NULL,
    search_key            TEXT NOT NULL,
    service_id            TEXT REFERENCES services (id) ON DELETE CASCADE,
    scopes                TEXT NOT NULL,
    ceiling_administrator INTEGER NOT NULL CHECK (ceiling_administrator IN (0, 1)),
    is_recoverable        INTEGER NOT NULL CHECK (is_recoverable IN (0, 1)),
    created_at            INTEGER NOT NULL,
    last_used_at          INTEGER,
    expires_at            INTEGER,
    made_by_key           TEXT,
    CHECK (is_recoverable = 0 OR service_id IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX app_passwords_by_owner ON app_passwords (owner_id, created_at);
CREATE INDEX app_passwords_by_service ON app_passwords (service_id) WHERE service_id IS NOT NULL;
CREATE INDEX app_passwords_by_creation ON app_passwords (created_at, id);

CREATE TABLE app_password_secrets (
    app_password_id TEXT PRIMARY KEY REFERENCES app_passwords (id) ON DELETE CASCADE,
    sealed          BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE device_logins (
    device_hash           BLOB PRIMARY KEY CHECK (length(device_hash) = 32),
    id                    TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
    code_hash             BLOB NOT NULL UNIQUE CHECK (length(code_hash) = 32),
    is_six_digits         INTEGER NOT NULL CHECK (is_six_digits IN (0, 1)),
    state                 TEXT NOT NULL CHECK (state IN ('open', 'claimed', 'approved', 'denied')),
    wants                 TEXT NOT NULL CHECK (wants IN ('session', 'app_password')),
    service_id            TEXT REFERENCES services (id) ON DELETE CASCADE,
    scopes                TEXT NOT NULL,
    device_name           TEXT,
    address               TEXT,
    user_agent            TEXT,
    source                TEXT,
    created_at            INTEGER NOT NULL,
    expires_at            INTEGER NOT NULL,
    polled_at             INTEGER,
    claimed_by            TEXT REFERENCES users (id) ON DELETE CASCADE,
    session_id            TEXT,
    ceiling_scopes        TEXT,
    ceiling_administrator INTEGER CHECK (ceiling_administrator IN (0, 1)),
    made_by_key           TEXT,
    bound_expires_at      INTEGER,
    CHECK ((wants = 'app_password') = (service_id IS NOT NULL)),
    CHECK ((state = 'open') = (claimed_by IS NULL)),
    CHECK ((state = 'approved') = (session_id IS NOT NULL)),
    CHECK ((session_id IS NULL) = (ceiling_scopes IS NULL)),
    CHECK ((session_id IS NULL) = (ceiling_administrator IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX device_logins_by_end ON device_logins (expires_at);
CREATE INDEX device_logins_by_source ON device_logins (source, expires_at) WHERE source IS NOT NULL;
CREATE INDEX device_logins_by_user ON device_logins (claimed_by) WHERE claimed_by IS NOT NULL;
CREATE INDEX device_logins_by_service ON device_logins (service_id) WHERE service_id IS NOT NULL;

CREATE TABLE device_links (
    secret_hash BLOB PRIMARY KEY CHECK (length(secret_hash) = 32),
    id          TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id  TEXT NOT NULL,
    masked      TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    used_at     INTEGER,
    used_by     TEXT,
    address     TEXT,
    user_agent  TEXT,
    passkey_id  TEXT,
    made_by_key TEXT,
    bound_expires_at INTEGER,
    CHECK ((used_at IS NULL) = (used_by IS NULL)),
    CHECK (used_at IS NOT NULL OR passkey_id IS NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX device_links_by_user ON device_links (user_id, created_at);
CREATE INDEX device_links_by_end ON device_links (expires_at);

-- Kinds of attempts that `attempts` cannot name.
CREATE TABLE more_attempts (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    kind   TEXT NOT NULL,
    source TEXT NOT NULL,
    at     INTEGER NOT NULL
) STRICT;

CREATE INDEX more_attempts_by_source ON more_attempts (kind, source, at);
CREATE INDEX more_attempts_by_time ON more_attempts (kind, at);
