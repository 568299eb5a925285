-- Today's schema. A new file is made from this; an older one is brought to the same by sql/migrations (D2).
-- Times are milliseconds since 1970. Ids are UUIDs as text. `*_key` columns hold the folded form that is compared.
-- In a key that was another's first, a control character and the row's id follow (U1, G1; db/collisions.rs).
-- Only what SQLite adds to common SQL stands here and in db/engine/sqlite.rs: STRICT, WITHOUT ROWID (D6).

-- The one row about this file.
CREATE TABLE instance (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    schema       INTEGER NOT NULL,             -- the same number as user_version, for statements that must see it (D2)
    last_time    INTEGER NOT NULL,             -- time of the last commit: time never runs before it (C5)
    created_at   INTEGER NOT NULL,
    backed_up_at INTEGER,                      -- when this was made, in a back-up that nobody has opened yet (D8)
    boot_id      TEXT,                         -- of the machine that committed last: time goes on by its clock (C5)
    boot_millis  INTEGER,                      -- and how long it had been running then
    file_id      BLOB,                         -- of this file alone: a copy has its own, so that its log is known to be its (D8)
    commits      INTEGER NOT NULL DEFAULT 0    -- how many transactions there have been, for the same
) STRICT;

CREATE TABLE users (
    id             TEXT PRIMARY KEY CHECK (length(id) = 36),
    username       TEXT NOT NULL CHECK (length(username) BETWEEN 1 AND 50),
    username_key   TEXT NOT NULL UNIQUE,
    username_email_key TEXT UNIQUE,            -- a username with `@` holds this address, unless its owner chose it (U1)
    email          TEXT,
    email_key      TEXT,
    email_verified INTEGER NOT NULL CHECK (email_verified IN (0, 1)),
    email_held     INTEGER NOT NULL DEFAULT 0 CHECK (email_held IN (0, 1)), -- proved, or given by an administrator or the host (U1)
    display_name   TEXT,
    first_name     TEXT,
    last_name      TEXT,
    locale         TEXT,
    external_id    TEXT UNIQUE,                -- the host's own key
    role           TEXT NOT NULL CHECK (role IN ('user', 'administrator')),
    status         TEXT NOT NULL CHECK (status IN ('pending', 'active', 'disabled')),
    expires_at     INTEGER,                    -- lapses then, is never deleted by itself (U2)
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    display_name_key TEXT,                     -- to be found and sorted by, like those below
    first_name_key TEXT,
    last_name_key  TEXT,
    search_key     TEXT NOT NULL DEFAULT '',   -- what a list's search reads: all names, without accents
    CHECK ((email IS NULL) = (email_key IS NULL)),
    CHECK (email IS NOT NULL OR email_held = 0),
    CHECK (email_held = 1 OR email_verified = 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX users_by_creation ON users (created_at, id);
-- For the count that keeps the last administrator (U3).
CREATE INDEX users_administrators ON users (id) WHERE role = 'administrator';
-- What somebody only typed is nobody's, and may stand there several times (U1).
CREATE UNIQUE INDEX users_held_emails ON users (email_key) WHERE email_held = 1;
CREATE INDEX users_by_email ON users (email_key);

-- Ids that are never given again (U1).
CREATE TABLE deleted_users (
    id         TEXT PRIMARY KEY,
    deleted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Usernames and held addresses that somebody had before, a deleted user too (U1). Whoever had one last may have it back.
CREATE TABLE former_names (
    id       INTEGER PRIMARY KEY AUTOINCREMENT, -- grows: the last one who had a name has its highest
    kind     TEXT NOT NULL CHECK (kind IN ('username', 'email')),
    name_key TEXT NOT NULL,
    user_id  TEXT NOT NULL,
    until    INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX former_names_by_name ON former_names (kind, name_key, user_id);
CREATE INDEX former_names_by_user ON former_names (user_id);

-- Keyed by what is looked up at every request (C2): one descent.
CREATE TABLE sessions (
    secret_hash           BLOB PRIMARY KEY CHECK (length(secret_hash) = 32),
    id                    TEXT NOT NULL UNIQUE,
    user_id               TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    method                TEXT NOT NULL CHECK (method IN ('setup', 'sign_up', 'one_time_token', 'recovery', 'passkey', 'host')),
    ceiling_scopes        TEXT NOT NULL,       -- K2: what it may at most do, separated by blanks
    ceiling_administrator INTEGER NOT NULL CHECK (ceiling_administrator IN (0, 1)),
    signed_in_at          INTEGER NOT NULL,
    stepped_up_at         INTEGER,             -- last passkey sign-in or step-up (P5)
    last_seen_at          INTEGER NOT NULL,
    idle_seconds          INTEGER NOT NULL CHECK (idle_seconds > 0),
    expires_at            INTEGER NOT NULL,    -- the absolute limit
    ended_at              INTEGER,             -- revoked, or ended by a rule
    masked                TEXT NOT NULL,
    address               TEXT,
    user_agent            TEXT,
    device_name           TEXT,
    made_by_key           TEXT,                -- the API key by which it was made, by value (K1)
    bound_expires_at      INTEGER,             -- the end of that key, which it hands on
    way                   TEXT CHECK (way IN ('device', 'device_link')), -- how they signed in, where `method` cannot name it (V3, V5)
    parent_session_id     TEXT                 -- of a device link: the session that made it, with which it ends (V5)
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_user ON sessions (user_id, signed_in_at);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE api_keys (
    secret_hash           BLOB PRIMARY KEY CHECK (length(secret_hash) = 32),
    id                    TEXT NOT NULL UNIQUE,
    owner_id              TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name                  TEXT NOT NULL,
    note                  TEXT,
    scopes                TEXT NOT NULL,       -- also the ceiling (K2)
    ceiling_administrator INTEGER NOT NULL CHECK (ceiling_administrator IN (0, 1)),
    masked                TEXT NOT NULL,
    created_at            INTEGER NOT NULL,
    last_used_at          INTEGER,
    expires_at            INTEGER,
    revoked_at            INTEGER,             -- kept for the audit (K1)
    supplied_hash         BLOB CHECK (length(supplied_hash) = 32), -- the last secret that a plan gave it (B6)
    name_key              TEXT NOT NULL DEFAULT '',
    made_by_key           TEXT,                -- the key by which it was made, or got its secret, by value (K1)
    search_key            TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE INDEX api_keys_by_owner ON api_keys (owner_id, created_at);
CREATE INDEX api_keys_by_name ON api_keys (owner_id, name);
CREATE INDEX api_keys_by_creation ON api_keys (created_at, id);
CREATE INDEX api_keys_by_expiry ON api_keys (expires_at) WHERE expires_at IS NOT NULL AND revoked_at IS NULL;

-- Secrets from before a rotation, for as long as both verify (K1).
CREATE TABLE api_key_overlaps (
    secret_hash BLOB PRIMARY KEY CHECK (length(secret_hash) = 32),
    api_key_id  TEXT NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    until       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX api_key_overlaps_by_key ON api_key_overlaps (api_key_id);

-- The one row about first-run setup (B1).
CREATE TABLE setup (
    id               INTEGER PRIMARY KEY CHECK (id = 1),
    stage            TEXT NOT NULL CHECK (stage IN ('uninitialised', 'claimed', 'complete')),
    generation       INTEGER NOT NULL CHECK (generation >= 1),
    administrator_id TEXT,                     -- who claimed this generation; they may have been deleted since
    claimed_at       INTEGER,
    completed_at     INTEGER,
    claimed_without_token INTEGER NOT NULL DEFAULT 0 CHECK (claimed_without_token IN (0, 1)) -- by the host's word (B2)
) STRICT;

-- What claims or resumes setup (B2): ten at most, the oldest goes first. None outlives setup.
CREATE TABLE setup_tokens (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    secret_hash BLOB NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
    expires_at  INTEGER NOT NULL
) STRICT;

-- Everybody and everything by value: rows outlive what they speak of (A1).
CREATE TABLE audit (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    at           INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    actor_kind   TEXT NOT NULL CHECK (actor_kind IN ('host', 'anonymous', 'user')),
    actor_id     TEXT,
    actor_name   TEXT,
    user_id      TEXT,                         -- the user whom it concerns
    username     TEXT,
    subject_id   TEXT,                         -- the thing, for example the API key
    subject_name TEXT,
    address      TEXT,
    user_agent   TEXT,
    details      TEXT NOT NULL,                -- a JSON object of texts
    count        INTEGER NOT NULL CHECK (count >= 1),
    refusal_key  TEXT UNIQUE                   -- refusals: minute, event and source, counted in one row
) STRICT;

CREATE INDEX audit_by_user ON audit (user_id, id, kind, at) WHERE user_id IS NOT NULL;
CREATE INDEX audit_by_actor ON audit (actor_id, id, kind, at, user_id) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_by_kind ON audit (kind, id, at);
CREATE INDEX audit_by_time ON audit (at);

CREATE TABLE groups (
    id            TEXT PRIMARY KEY CHECK (length(id) = 36),
    name          TEXT NOT NULL CHECK (length(name) BETWEEN 2 AND 255),
    name_key      TEXT NOT NULL UNIQUE,
    friendly_name TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    friendly_name_key TEXT NOT NULL DEFAULT '',
    search_key    TEXT NOT NULL DEFAULT ''
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
CREATE INDEX signup_tokens_of_plans ON signup_tokens (note) WHERE created_by IS NULL;

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
    ceiling_expires_at    INTEGER,             -- and for how long: the end of the key by which it was made (K1)
    created_by            TEXT,
    created_at            INTEGER NOT NULL,
    expires_at            INTEGER NOT NULL,
    is_recovery           INTEGER NOT NULL DEFAULT 0 CHECK (is_recovery IN (0, 1)), -- for somebody who has lost their passkey (O3)
    made_by_key           TEXT                 -- the API key by which it was made, by value (K1)
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

-- The RP id of the passkeys that work; no row before there is one (P6).
CREATE TABLE relying_party (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    rp_id TEXT NOT NULL
) STRICT;

-- What authenticators know a user by: random, for ever the same (P3).
CREATE TABLE user_handles (
    user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    handle  BLOB NOT NULL UNIQUE CHECK (length(handle) = 32)
) STRICT, WITHOUT ROWID;

-- Keyed by what a sign-in brings.
CREATE TABLE passkeys (
    credential_id        BLOB PRIMARY KEY CHECK (length(credential_id) BETWEEN 1 AND 1023),
    id                   TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
    user_id              TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    rp_id                TEXT NOT NULL,         -- works only while it is that of relying_party
    name                 TEXT NOT NULL,
    public_key           BLOB NOT NULL,         -- COSE_Key (RFC 9052), as the authenticator gave it
    aaguid               TEXT,                  -- the authenticator's model, if it told
    transports           TEXT NOT NULL,         -- separated by blanks
    backup_eligible      INTEGER NOT NULL CHECK (backup_eligible IN (0, 1)),
    backup_state         INTEGER NOT NULL CHECK (backup_state IN (0, 1)),
    counter              INTEGER NOT NULL CHECK (counter >= 0),
    counter_went_back_at INTEGER,               -- the last time (P3)
    created_at           INTEGER NOT NULL,
    last_used_at         INTEGER,
    backup_eligibility_changed_at INTEGER,      -- the last time (P3)
    CHECK (backup_eligible = 1 OR backup_state = 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX passkeys_by_user ON passkeys (user_id, created_at);

-- Begun and not finished; a row goes when it is used, or after 5 minutes (P2). Sign-ins have none.
CREATE TABLE ceremonies (
    token_hash BLOB PRIMARY KEY CHECK (length(token_hash) = 32),
    kind       TEXT NOT NULL CHECK (kind IN ('registration', 'sign_up', 'step_up')),
    user_id    TEXT REFERENCES users (id) ON DELETE CASCADE,
    session_id TEXT,
    source     TEXT,                            -- of a sign-up: the address, of IPv6 its /64
    state      TEXT NOT NULL,                   -- JSON; holds the challenge, no secret of ours
    expires_at INTEGER NOT NULL,
    CHECK ((kind = 'sign_up') = (user_id IS NULL)),
    CHECK ((user_id IS NULL) = (session_id IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX ceremonies_by_end ON ceremonies (expires_at);
CREATE INDEX ceremonies_by_user ON ceremonies (user_id);
CREATE INDEX ceremonies_by_source ON ceremonies (source, expires_at) WHERE source IS NOT NULL;

-- Challenges of sign-ins that were used, for as long as somebody could try them again (P2).
CREATE TABLE spent_challenges (
    challenge_hash BLOB PRIMARY KEY CHECK (length(challenge_hash) = 32),
    until          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;


-- Seals the state of sign-ins that travels (P2). One a day; the last one stays for as long as it is needed.
CREATE TABLE sealing_keys (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    key        BLOB NOT NULL CHECK (length(key) = 32),
    created_at INTEGER NOT NULL
) STRICT;

-- What users reach by way of the host.
CREATE TABLE services (
    id           TEXT PRIMARY KEY CHECK (length(id) = 36),
    slug         TEXT NOT NULL UNIQUE,
    name         TEXT NOT NULL,
    for_everyone INTEGER NOT NULL CHECK (for_everyone IN (0, 1)), -- otherwise by groups; without one closed (G2)
    created_at   INTEGER NOT NULL,
    name_key     TEXT NOT NULL DEFAULT '',
    search_key   TEXT NOT NULL DEFAULT '',
    wants_token  INTEGER NOT NULL DEFAULT 0 CHECK (wants_token IN (0, 1)) -- an access token with each request (F1)
) STRICT, WITHOUT ROWID;

CREATE TABLE service_origins (
    service_id TEXT NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    origin     TEXT NOT NULL,
    host       TEXT NOT NULL DEFAULT '',       -- of the origin, without its port: cookies know none (F2)
    PRIMARY KEY (service_id, origin)
) STRICT, WITHOUT ROWID;

CREATE INDEX service_origins_by_host ON service_origins (host);

CREATE TABLE service_groups (
    service_id TEXT NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    group_id   TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (service_id, group_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX service_groups_by_group ON service_groups (group_id);

-- Sign access tokens (J1). One signs; those before it verify until they end, without their private half.
CREATE TABLE signing_keys (
    id          TEXT PRIMARY KEY CHECK (length(id) = 36),
    public_key  BLOB NOT NULL CHECK (length(public_key) = 32),
    private_key BLOB,                          -- PKCS #8
    is_sealed   INTEGER NOT NULL CHECK (is_sealed IN (0, 1)), -- with AES-256-GCM, under the configured key
    created_at  INTEGER NOT NULL,
    ends_at     INTEGER,
    CHECK ((private_key IS NULL) = (ends_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX signing_keys_that_sign ON signing_keys (ends_at IS NULL) WHERE ends_at IS NULL;

-- By which name a plan knows a user, who may have another by now (B6). Nobody else of that name is taken for them.
CREATE TABLE plan_users (
    name_key TEXT PRIMARY KEY,
    user_id  TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX plan_users_by_user ON plan_users (user_id);

-- Every secret that a plan ever gave: none comes back after it was replaced, or its owner deleted (B6).
CREATE TABLE plan_secrets (
    secret_hash BLOB PRIMARY KEY CHECK (length(secret_hash) = 32)
) STRICT, WITHOUT ROWID;

-- For clients that know only name and password (W1). An HMAC of the secret, when there is a key (C3).
CREATE TABLE app_passwords (
    secret_hash           BLOB PRIMARY KEY CHECK (length(secret_hash) = 32),
    id                    TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
    owner_id              TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name                  TEXT NOT NULL,
    name_key              TEXT NOT NULL,
    search_key            TEXT NOT NULL,
    service_id            TEXT REFERENCES services (id) ON DELETE CASCADE, -- none: for all
    scopes                TEXT NOT NULL,       -- empty: whatever it is for, and nothing built in
    ceiling_administrator INTEGER NOT NULL CHECK (ceiling_administrator IN (0, 1)), -- also of a session from before a promotion (K2)
    is_recoverable        INTEGER NOT NULL CHECK (is_recoverable IN (0, 1)),
    created_at            INTEGER NOT NULL,
    last_used_at          INTEGER,
    expires_at            INTEGER,
    made_by_key           TEXT,                -- the API key by which it was made, by value (K1)
    CHECK (is_recoverable = 0 OR service_id IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX app_passwords_by_owner ON app_passwords (owner_id, created_at);
CREATE INDEX app_passwords_by_service ON app_passwords (service_id) WHERE service_id IS NOT NULL;
CREATE INDEX app_passwords_by_creation ON app_passwords (created_at, id);

-- Secrets that can be read again under the configured key, for Subsonic (W4).
CREATE TABLE app_password_secrets (
    app_password_id TEXT PRIMARY KEY REFERENCES app_passwords (id) ON DELETE CASCADE,
    sealed          BLOB NOT NULL              -- with AES-256-GCM
) STRICT, WITHOUT ROWID;

-- Devices that ask to be signed in (V1). A row goes when it has given what it gives (V4).
CREATE TABLE device_logins (
    device_hash           BLOB PRIMARY KEY CHECK (length(device_hash) = 32),
    id                    TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
    code_hash             BLOB NOT NULL UNIQUE CHECK (length(code_hash) = 32), -- of what a person types, as codes are (C3)
    is_six_digits         INTEGER NOT NULL CHECK (is_six_digits IN (0, 1)),
    state                 TEXT NOT NULL CHECK (state IN ('open', 'claimed', 'approved', 'denied')),
    wants                 TEXT NOT NULL CHECK (wants IN ('session', 'app_password')),
    service_id            TEXT REFERENCES services (id) ON DELETE CASCADE,
    scopes                TEXT NOT NULL,       -- as asked; empty: what a person's own things need
    device_name           TEXT,
    address               TEXT,
    user_agent            TEXT,
    source                TEXT,                -- the address, of IPv6 its /64
    created_at            INTEGER NOT NULL,
    expires_at            INTEGER NOT NULL,
    polled_at             INTEGER,
    claimed_by            TEXT REFERENCES users (id) ON DELETE CASCADE, -- who looked first, and nobody else decides (V2)
    session_id            TEXT,                -- that approved it, by value (V3)
    ceiling_scopes        TEXT,                -- what it will be able to do at most (K2)
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

-- By which a user adds another device of their own (V5). The row stays for a while, to be told of.
CREATE TABLE device_links (
    secret_hash BLOB PRIMARY KEY CHECK (length(secret_hash) = 32),
    id          TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id  TEXT NOT NULL,                 -- that made it, by value
    masked      TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    used_at     INTEGER,
    used_by     TEXT,                          -- the new device's session, by value
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

-- By which somebody who is signed in here enters a service, once (F2).
CREATE TABLE service_tickets (
    secret_hash BLOB PRIMARY KEY CHECK (length(secret_hash) = 32),
    service_id  TEXT NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    session_id  TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    challenge   BLOB NOT NULL CHECK (length(challenge) = 32), -- the hash of the nonce in the browser that may enter
    origin      TEXT NOT NULL,                 -- at which they enter
    return_path TEXT NOT NULL,                 -- the page that they asked for
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX service_tickets_by_service ON service_tickets (service_id);
CREATE INDEX service_tickets_by_session ON service_tickets (session_id);
CREATE INDEX service_tickets_by_end ON service_tickets (expires_at);

-- What a browser shows to one service, in the place of the session by which it was opened, and no longer than that (F2).
CREATE TABLE service_sessions (
    secret_hash BLOB PRIMARY KEY CHECK (length(secret_hash) = 32),
    service_id  TEXT NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    session_id  TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    origin      TEXT NOT NULL,                 -- at which it was opened
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX service_sessions_by_service ON service_sessions (service_id);
CREATE INDEX service_sessions_by_session ON service_sessions (session_id, service_id, created_at);
