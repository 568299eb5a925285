-- From schema 8 to 9: forward auth (F1-F3).

ALTER TABLE services ADD COLUMN wants_token INTEGER NOT NULL DEFAULT 0 CHECK (wants_token IN (0, 1));

-- The host of an origin, without its port.
ALTER TABLE service_origins ADD COLUMN host TEXT NOT NULL DEFAULT '';
UPDATE service_origins SET host = substr(origin, instr(origin, '://') + 3);
UPDATE service_origins SET host = substr(host, 1, instr(host, ']')) WHERE host LIKE '[%';
UPDATE service_origins SET host = substr(host, 1, instr(host, ':') - 1) WHERE host NOT LIKE '[%' AND host LIKE '%:%';
CREATE INDEX service_origins_by_host ON service_origins (host);

CREATE TABLE service_tickets (
    secret_hash BLOB PRIMARY KEY CHECK (length(secret_hash) = 32),
    service_id  TEXT NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    session_id  TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    challenge   BLOB NOT NULL CHECK (length(challenge) = 32),
    origin      TEXT NOT NULL,
    return_path TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX service_tickets_by_service ON service_tickets (service_id);
CREATE INDEX service_tickets_by_session ON service_tickets (session_id);
CREATE INDEX service_tickets_by_end ON service_tickets (expires_at);

CREATE TABLE service_sessions (
    secret_hash BLOB PRIMARY KEY CHECK (length(secret_hash) = 32),
    service_id  TEXT NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    session_id  TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    origin      TEXT NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX service_sessions_by_service ON service_sessions (service_id);
CREATE INDEX service_sessions_by_session ON service_sessions (session_id, service_id, created_at);
