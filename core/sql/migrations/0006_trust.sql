-- Schema 6. What each part changes stands under a heading of its own.

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
