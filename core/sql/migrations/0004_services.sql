-- Services, and to whom they are open.

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
