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
