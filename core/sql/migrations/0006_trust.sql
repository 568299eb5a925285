-- Schema 6. What each part changes stands under a heading of its own.

-- Time ----------------------------------------------------------------------------------------------------------------
-- A commit stores the boot and its clock beside the time, so that time goes on although the clock stands behind it (C5).
-- Whoever opens the file stores them for the first time.
ALTER TABLE instance ADD COLUMN boot_id TEXT;
ALTER TABLE instance ADD COLUMN boot_millis INTEGER;
