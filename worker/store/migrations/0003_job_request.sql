-- The id of the request that a job came by, so that its lines in the log can be found by it.

ALTER TABLE job ADD COLUMN request_id TEXT NOT NULL DEFAULT ''; -- '': by the command line
