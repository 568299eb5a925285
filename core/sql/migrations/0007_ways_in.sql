-- Schema 7. What each part changes stands under a heading of its own.

-- The file (D8) -------------------------------------------------------------------------------------------------------
-- The file's own id and a count of its commits, by which a log beside it is known to be its own. The library sets the id,
-- which is random; a copy gets one of its own.
ALTER TABLE instance ADD COLUMN file_id BLOB;
ALTER TABLE instance ADD COLUMN commits INTEGER NOT NULL DEFAULT 0;
