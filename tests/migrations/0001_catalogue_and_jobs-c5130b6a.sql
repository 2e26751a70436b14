-- The catalogue of datasets and the queue of jobs.  Times are milliseconds since
-- 1970-01-01T00:00:00Z.  Sets of words are spelled out in CHECKs, so that the file explains
-- itself to whoever opens it with the sqlite3 shell.

CREATE TABLE migration (
    number      INTEGER PRIMARY KEY,    -- counts from 1; the last one is PRAGMA user_version
    name        TEXT NOT NULL,          -- the file's name
    sha256      TEXT NOT NULL,          -- of the text that ran, 64 hex digits
    applied_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE job (
    id          TEXT NOT NULL PRIMARY KEY   -- 12 hex digits of time, 8 random: sorts by creation
                CHECK (length(id) = 20),
    kind        TEXT NOT NULL,              -- import, reindex, report
    dataset     TEXT NOT NULL,              -- name; '' for none.  The dataset may come later.
    state       TEXT NOT NULL DEFAULT 'queued'
                CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    phase       TEXT NOT NULL DEFAULT '',   -- receiving, reading, indexing, publishing; '' before
    label       TEXT NOT NULL DEFAULT '',   -- what the user calls it
    source      TEXT NOT NULL DEFAULT '',   -- file name or URL as the user gave it
    options     TEXT NOT NULL DEFAULT '{}'  -- the kind's own options
                CHECK (json_valid(options)),
    bytes_total INTEGER NOT NULL DEFAULT 0 CHECK (bytes_total >= 0),    -- 0: unknown
    bytes_done  INTEGER NOT NULL DEFAULT 0 CHECK (bytes_done >= 0),
    rows_done   INTEGER NOT NULL DEFAULT 0 CHECK (rows_done >= 0),      -- accepted rows
    rows_rejected INTEGER NOT NULL DEFAULT 0 CHECK (rows_rejected >= 0),
    attempt     INTEGER NOT NULL DEFAULT 0, -- times it was claimed
    is_cancel_requested INTEGER NOT NULL DEFAULT 0 CHECK (is_cancel_requested IN (0, 1)),
    lease_until INTEGER NOT NULL DEFAULT 0, -- a running job may be claimed again after it
    created_at  INTEGER NOT NULL,
    started_at  INTEGER NOT NULL DEFAULT 0, -- of the first attempt; 0: not yet
    heartbeat_at INTEGER NOT NULL DEFAULT 0, -- of the last sign of life; 0: never
    finished_at INTEGER NOT NULL DEFAULT 0, -- 0: not yet
    error       TEXT NOT NULL DEFAULT ''    -- {code, detail}; '' unless it failed
                CHECK (error = '' OR json_valid(error)),
    result      TEXT NOT NULL DEFAULT ''    -- the receipt; '' unless it succeeded
                CHECK (result = '' OR json_valid(result)),
    CHECK ((finished_at = 0) = (state IN ('queued', 'running')))
) STRICT;
-- The few jobs that are not finished, for the claim and for the sweep.
CREATE INDEX job_unfinished ON job (state, dataset, id) WHERE state IN ('queued', 'running');
CREATE INDEX job_dataset ON job (dataset, id);

CREATE TABLE dataset (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,  -- names the folder, so it is never used again
    name        TEXT NOT NULL UNIQUE,
    is_public   INTEGER NOT NULL CHECK (is_public IN (0, 1)),   -- read without a key
    version     INTEGER,                            -- number of the current one; NULL: none yet
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,                   -- when another version became current
    FOREIGN KEY (id, version) REFERENCES dataset_version (dataset_id, number)
) STRICT;

CREATE TABLE dataset_version (
    dataset_id  INTEGER NOT NULL REFERENCES dataset (id),
    number      INTEGER NOT NULL CHECK (number >= 1),   -- counts up, never used again
    job_id      TEXT NOT NULL UNIQUE REFERENCES job (id),   -- names the folder
    schema      TEXT NOT NULL CHECK (json_valid(schema)),       -- columns and types
    summaries   TEXT NOT NULL CHECK (json_valid(summaries)),    -- statistics of whole columns
    row_count   INTEGER NOT NULL CHECK (row_count >= 0),
    source_sha256 TEXT NOT NULL,                        -- of the source as it came
    source      TEXT NOT NULL,                          -- file name or URL
    source_bytes INTEGER NOT NULL CHECK (source_bytes >= 0),
    label       TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    dropped_at  INTEGER NOT NULL DEFAULT 0,             -- files are gone since; 0: kept
    PRIMARY KEY (dataset_id, number)
) STRICT;
