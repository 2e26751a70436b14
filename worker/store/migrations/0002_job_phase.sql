-- When a job's phase began and how far the job was, so that the rate of a phase is its own: a slow
-- fetch says nothing about how long the load will take.

ALTER TABLE job ADD COLUMN phase_at INTEGER NOT NULL DEFAULT 0;     -- 0: no phase yet
ALTER TABLE job ADD COLUMN phase_bytes INTEGER NOT NULL DEFAULT 0   -- bytes_done at phase_at
    CHECK (phase_bytes >= 0);
