-- Which files of a version are whole, since when that is known, and what answers in the place of a
-- version that is not.

ALTER TABLE dataset ADD COLUMN wanted_version INTEGER NOT NULL DEFAULT 0;   -- damaged, and another
                                        -- is current in its place; 0: the current one is wanted
ALTER TABLE dataset_version ADD COLUMN rows_checksum INTEGER NOT NULL DEFAULT 0;    -- of rows.db;
                                        -- 0: not known yet, the version is of an older program
ALTER TABLE dataset_version ADD COLUMN edition INTEGER NOT NULL DEFAULT 0;  -- rises when files are
                                        -- replaced, found damaged or found whole again
ALTER TABLE dataset_version ADD COLUMN checked_start INTEGER NOT NULL DEFAULT 0;    -- the start of
                                        -- the service since which they are known to be whole
ALTER TABLE dataset_version ADD COLUMN checked_at INTEGER NOT NULL DEFAULT 0;   -- when they were
                                        -- read last; 0: to be read as soon as can be
ALTER TABLE dataset_version ADD COLUMN damaged TEXT NOT NULL DEFAULT '';    -- names of the files
                                        -- that are not whole, with blanks between; '': none
ALTER TABLE dataset_version ADD COLUMN damaged_at INTEGER NOT NULL DEFAULT 0;   -- 0: not damaged
-- All that is asked often, so that nobody walks behind the long texts of the rows for it.
CREATE INDEX dataset_version_kept
    ON dataset_version (dataset_id, number, edition, checked_start, checked_at, damaged, damaged_at)
    WHERE dropped_at = 0;

-- Which start of the service is the present one: a version that is published counts as checked
-- since then.
CREATE TABLE service_start (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    number  INTEGER NOT NULL                -- random, made by `playmeter serve`
) STRICT;
