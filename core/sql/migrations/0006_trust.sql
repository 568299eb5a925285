-- Text: what lists are searched by, folded and without accents. It is filled in, and all keys are folded anew, by
-- db/engine/refold.rs right after these statements.

ALTER TABLE users ADD COLUMN search_key TEXT NOT NULL DEFAULT '';
ALTER TABLE groups ADD COLUMN search_key TEXT NOT NULL DEFAULT '';
ALTER TABLE services ADD COLUMN search_key TEXT NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN search_key TEXT NOT NULL DEFAULT '';
