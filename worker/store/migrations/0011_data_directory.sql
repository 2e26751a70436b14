-- Which data directory this database belongs to, and how far it has come: so that no file is
-- removed on the word of another directory's database, or of an older copy of this one.  The same
-- stands in DATA/state and in the version.json of every version's folder; see datasets/guard.

CREATE TABLE data_directory (
    only_row    INTEGER PRIMARY KEY CHECK (only_row = 1),
    id          TEXT NOT NULL               -- 32 hex digits, random
                CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
    catalogue_seq INTEGER NOT NULL          -- counts publications and rollbacks
                CHECK (catalogue_seq >= 0),
    log_base    INTEGER NOT NULL            -- what the log builds upon; see store/log_mark
                CHECK (log_base >= 0)
) STRICT;
INSERT INTO data_directory (only_row, id, catalogue_seq, log_base)
VALUES (1, lower(hex(randomblob(16))), 0, 0);
