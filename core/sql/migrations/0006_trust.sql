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
