-- What PostgreSQL needs besides the tables that both engines have (D6).

-- Whoever writes locks this table, which nobody changes: those who write take turns, and readers wait for nobody.
CREATE TABLE turns (
    id BIGINT PRIMARY KEY
);

-- Each commit leaves a random id for an hour, by which somebody who lost the answer finds out whether it was done.
CREATE TABLE changes (
    id BYTEA PRIMARY KEY CHECK (length(id) = 16),
    at BIGINT NOT NULL
);

CREATE INDEX changes_by_time ON changes (at);
