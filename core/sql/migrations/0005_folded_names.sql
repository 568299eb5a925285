-- The folded forms of names that lists are searched and sorted by: no engine's own lower() is the same as another's.
-- `folded` is given for the time of the migration.

ALTER TABLE users ADD COLUMN display_name_key TEXT;
ALTER TABLE users ADD COLUMN first_name_key TEXT;
ALTER TABLE users ADD COLUMN last_name_key TEXT;
UPDATE users
SET display_name_key = folded(display_name), first_name_key = folded(first_name), last_name_key = folded(last_name);

ALTER TABLE api_keys ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
UPDATE api_keys SET name_key = folded(name);

ALTER TABLE groups ADD COLUMN friendly_name_key TEXT NOT NULL DEFAULT '';
UPDATE groups SET friendly_name_key = folded(friendly_name);

ALTER TABLE services ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
UPDATE services SET name_key = folded(name);
