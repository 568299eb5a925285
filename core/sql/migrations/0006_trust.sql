-- Passkeys ---------------------------------------------------------------------------------------------------------------

-- When the backup-eligible flag last changed.
ALTER TABLE passkeys ADD COLUMN backup_eligibility_changed_at INTEGER;
