-- Runs of the reports.  The reports themselves are files; this says which there are.

CREATE TABLE report_run (
    job_id      TEXT NOT NULL PRIMARY KEY REFERENCES job (id),
    date        TEXT NOT NULL,              -- YYYY-MM-DD: D-1
    is_scheduled INTEGER NOT NULL CHECK (is_scheduled IN (0, 1)),
    inputs      TEXT NOT NULL               -- [{dataset, version, sha256, rows}]
                CHECK (json_valid(inputs)),
    finished_at INTEGER NOT NULL
) STRICT;
CREATE INDEX report_run_date ON report_run (date, job_id);

CREATE TABLE report (
    job_id      TEXT NOT NULL REFERENCES report_run (job_id),
    name        TEXT NOT NULL,              -- purchases_curated, reconciliation, ...
    sha256      TEXT NOT NULL,              -- of the JSON file, 64 hex digits; '' when it failed
    bytes       INTEGER NOT NULL CHECK (bytes >= 0),
    warnings    TEXT NOT NULL CHECK (json_valid(warnings)),
    error       TEXT NOT NULL DEFAULT ''    -- {code, detail}; '' unless it could not be made
                CHECK (error = '' OR json_valid(error)),
    PRIMARY KEY (job_id, name)
) STRICT, WITHOUT ROWID;

-- The days (UTC) whose scheduled run was enqueued: one each, also across restarts.
CREATE TABLE report_schedule (
    day         TEXT NOT NULL PRIMARY KEY,  -- YYYY-MM-DD on which it ran
    job_id      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
