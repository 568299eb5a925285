-- Schema 6. What each part changes stands under a heading of its own.

-- Time ----------------------------------------------------------------------------------------------------------------
-- A commit stores the boot and its clock beside the time, so that time goes on although the clock stands behind it (C5).
-- Whoever opens the file stores them for the first time.
ALTER TABLE instance ADD COLUMN boot_id TEXT;
ALTER TABLE instance ADD COLUMN boot_millis INTEGER;

-- Keys (K1): what is made by a key ends with it, by whatever detour. -------------------------------------------------

-- By which key each was made, or got its secret. Of older rows nobody knows.
ALTER TABLE api_keys ADD COLUMN made_by_key TEXT;
ALTER TABLE one_time_tokens ADD COLUMN made_by_key TEXT;
ALTER TABLE sessions ADD COLUMN made_by_key TEXT;
ALTER TABLE sessions ADD COLUMN bound_expires_at INTEGER;

-- The session of a weak key's code gave nothing beyond its own end so far, and so it stays: which key it was, and how long
-- that lives, is no longer known. A person's own sign-in has all scopes, and is bound by nothing.
UPDATE sessions
SET bound_expires_at = expires_at
WHERE method = 'one_time_token' AND ceiling_scopes <> '* roles:write';

-- Names (U1) -----------------------------------------------------------------------------------------------------------
-- An address is one user's only when it is held: proved, or given by an administrator or the host. What
-- somebody was called is remembered. `users` is made anew: foreign keys are off meanwhile, so that nobody's sessions and
-- keys go with the old table.

-- Who gave a username or an address is told by the last row of the log that speaks of it: its owner, who signed up or
-- changed it, or somebody else. Where rows of the log are missing, the use of a sign-up token still tells.
CREATE TABLE namings AS
SELECT id,
       user_id,
       kind = 'user_signed_up' OR kind = 'user_updated' AND actor_id = user_id AS by_owner,
       kind <> 'user_updated' OR fields LIKE '% username %' AS of_username,
       kind <> 'user_updated' OR fields LIKE '% email %' AS of_email
FROM (SELECT id,
             user_id,
             kind,
             coalesce(actor_id, '') AS actor_id,
             CASE WHEN json_valid(details) THEN ' ' || coalesce(json_extract(details, '$.fields'), '') || ' ' END AS fields
      FROM audit
      WHERE kind IN ('user_created', 'user_signed_up', 'setup_claimed', 'user_updated') AND user_id IS NOT NULL
      UNION ALL
      SELECT 0, user_id, 'user_signed_up', '', ''
      FROM signup_redemptions);

CREATE INDEX namings_by_user ON namings (user_id, id);

CREATE TABLE new_users (
    id             TEXT PRIMARY KEY CHECK (length(id) = 36),
    username       TEXT NOT NULL CHECK (length(username) BETWEEN 1 AND 50),
    username_key   TEXT NOT NULL UNIQUE,
    username_email_key TEXT UNIQUE,
    email          TEXT,
    email_key      TEXT,
    email_verified INTEGER NOT NULL CHECK (email_verified IN (0, 1)),
    email_held     INTEGER NOT NULL DEFAULT 0 CHECK (email_held IN (0, 1)),
    display_name   TEXT,
    first_name     TEXT,
    last_name      TEXT,
    locale         TEXT,
    external_id    TEXT UNIQUE,
    role           TEXT NOT NULL CHECK (role IN ('user', 'administrator')),
    status         TEXT NOT NULL CHECK (status IN ('pending', 'active', 'disabled')),
    expires_at     INTEGER,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    display_name_key TEXT,
    first_name_key TEXT,
    last_name_key  TEXT,
    CHECK ((email IS NULL) = (email_key IS NULL)),
    CHECK (email IS NOT NULL OR email_held = 0),
    CHECK (email_held = 1 OR email_verified = 0)
) STRICT, WITHOUT ROWID;

-- An unverified address is held unless its owner typed it: what an administrator gave must not be lost where nothing tells.
-- Administrators may give themselves what they like.
INSERT INTO new_users (
    id, username, username_key, username_email_key, email, email_key, email_verified, email_held, display_name, first_name,
    last_name, locale, external_id, role, status, expires_at, created_at, updated_at, display_name_key, first_name_key,
    last_name_key
)
SELECT id,
       username,
       username_key,
       CASE WHEN username LIKE '%@%'
                 AND (role = 'administrator'
                      OR NOT EXISTS (SELECT 1
                                     FROM namings
                                     WHERE namings.user_id = users.id AND by_owner AND of_username
                                       AND id = (SELECT max(last.id)
                                                 FROM namings AS last
                                                 WHERE last.user_id = users.id AND last.of_username)))
            THEN username_key END, -- folded anew with all others, when it may turn out to be another's too
       email,
       email_key,
       email_verified,
       email IS NOT NULL
           AND (email_verified = 1
                OR role = 'administrator'
                OR NOT EXISTS (SELECT 1
                               FROM namings
                               WHERE namings.user_id = users.id AND by_owner AND of_email
                                 AND id = (SELECT max(last.id)
                                           FROM namings AS last
                                           WHERE last.user_id = users.id AND last.of_email))),
       display_name,
       first_name,
       last_name,
       locale,
       external_id,
       role,
       status,
       expires_at,
       created_at,
       updated_at,
       display_name_key,
       first_name_key,
       last_name_key
FROM users;

DROP TABLE users;
ALTER TABLE new_users RENAME TO users;

CREATE INDEX users_by_creation ON users (created_at, id);
CREATE INDEX users_administrators ON users (id) WHERE role = 'administrator';
CREATE UNIQUE INDEX users_held_emails ON users (email_key) WHERE email_held = 1;
CREATE INDEX users_by_email ON users (email_key);

CREATE TABLE former_names (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     TEXT NOT NULL CHECK (kind IN ('username', 'email')),
    name_key TEXT NOT NULL,
    user_id  TEXT NOT NULL,
    until    INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX former_names_by_name ON former_names (kind, name_key, user_id);
CREATE INDEX former_names_by_user ON former_names (user_id);

-- The names of deleted users, and those that somebody had before: the log has them.
INSERT INTO former_names (kind, name_key, user_id, until)
SELECT 'username', username_key, id, deleted_at AS until
FROM deleted_users
WHERE username_key <> ''
UNION
SELECT 'username', folded(audit.username), users.id, max(audit.at) AS until
FROM audit
JOIN users ON users.id = audit.user_id
WHERE folded(audit.username) <> users.username_key
GROUP BY folded(audit.username), users.id
ORDER BY until;

-- Those with `@` that their owners did not choose held an address.
INSERT INTO former_names (kind, name_key, user_id, until)
SELECT 'email', folded_email(name_key), user_id, until
FROM former_names
WHERE name_key LIKE '%@%'
  AND NOT EXISTS (SELECT 1
                  FROM namings
                  WHERE namings.user_id = former_names.user_id AND by_owner AND of_username)
ORDER BY id;

DROP INDEX deleted_users_by_username;
ALTER TABLE deleted_users DROP COLUMN username_key;
DROP TABLE namings;

-- Text (U1, G1) --------------------------------------------------------------------------------------------------------
-- What lists are searched by, folded and without accents. It is filled in, and all keys are folded anew, by
-- db/engine/refold.rs right after these statements.

ALTER TABLE users ADD COLUMN search_key TEXT NOT NULL DEFAULT '';
ALTER TABLE groups ADD COLUMN search_key TEXT NOT NULL DEFAULT '';
ALTER TABLE services ADD COLUMN search_key TEXT NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN search_key TEXT NOT NULL DEFAULT '';

-- Setup ---------------------------------------------------------------------------------------------------------------
-- Several setup tokens at once, in a table of their own, and how setup was claimed (B2). The table is made anew, since
-- SQLite drops no column that a CHECK names; nothing refers to it. A claim from before counts as one with a token, which
-- gives nobody anything. The token that works goes on working.
CREATE TABLE setup_tokens (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    secret_hash BLOB NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
    expires_at  INTEGER NOT NULL
) STRICT;

INSERT INTO setup_tokens (secret_hash, expires_at)
SELECT token_hash, token_expires_at
FROM setup
WHERE token_hash IS NOT NULL;

CREATE TEMPORARY TABLE setup_before AS
SELECT id, stage, generation, administrator_id, claimed_at, completed_at
FROM setup;

DROP TABLE main.setup;

CREATE TABLE setup (
    id               INTEGER PRIMARY KEY CHECK (id = 1),
    stage            TEXT NOT NULL CHECK (stage IN ('uninitialised', 'claimed', 'complete')),
    generation       INTEGER NOT NULL CHECK (generation >= 1),
    administrator_id TEXT,
    claimed_at       INTEGER,
    completed_at     INTEGER,
    claimed_without_token INTEGER NOT NULL DEFAULT 0 CHECK (claimed_without_token IN (0, 1))
) STRICT;

INSERT INTO setup (id, stage, generation, administrator_id, claimed_at, completed_at)
SELECT id, stage, generation, administrator_id, claimed_at, completed_at
FROM setup_before;

DROP TABLE setup_before;

-- The audit log by its filters: an index for each holds all that is needed to count, and to find the rows of a page. The
-- user's rows are found without those of strangers, whose refusals are the most.

DROP INDEX audit_by_user;
DROP INDEX audit_by_actor;
CREATE INDEX audit_by_user ON audit (user_id, id, kind, at) WHERE user_id IS NOT NULL;
CREATE INDEX audit_by_actor ON audit (actor_id, id, kind, at, user_id) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_by_kind ON audit (kind, id, at);
CREATE INDEX audit_by_time ON audit (at);

-- What plans look for by name, entry by entry.

CREATE INDEX signup_tokens_of_plans ON signup_tokens (note) WHERE created_by IS NULL;
CREATE INDEX api_keys_by_name ON api_keys (owner_id, name);

-- Passkeys ---------------------------------------------------------------------------------------------------------------

-- When the backup-eligible flag last changed.
ALTER TABLE passkeys ADD COLUMN backup_eligibility_changed_at INTEGER;
