-- Finished jobs are kept for good, so no list may walk all of them to find the few it shows.

CREATE INDEX job_state ON job (state, id, kind);
CREATE INDEX job_kind ON job (kind, id);
