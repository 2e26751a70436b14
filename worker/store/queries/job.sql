-- The queue of jobs.  A list of columns is in the order of struct job, so that one function
-- reads them all.

-- name: job_get
-- One job, or no row.
SELECT id, kind, dataset, state, phase, label, source, options, bytes_total, bytes_done,
       rows_done, rows_rejected, created_at, started_at, finished_at, heartbeat_at, attempt,
       is_cancel_requested, error, result, phase_at, phase_bytes, request_id
FROM job WHERE id = ?1;

-- name: job_list
-- Newest first: ?1 dataset, ?2 state, ?3 kind ('' for any), ?4 only ids below ('' for all).  Each part
-- of the inner SELECT scans one index in the order of ids.  Only the first part that suits the given
-- filters runs: conditions on parameters alone are decided before any row is read.
SELECT id, kind, dataset, state, phase, label, source, options, bytes_total, bytes_done,
       rows_done, rows_rejected, created_at, started_at, finished_at, heartbeat_at, attempt,
       is_cancel_requested, error, result, phase_at, phase_bytes, request_id
FROM job
WHERE id IN (
    SELECT id FROM job INDEXED BY job_state
    WHERE ?2 <> '' AND (?1 = '' OR ?2 IN ('queued', 'running'))
      AND state = ?2 AND (?1 = '' OR dataset = ?1) AND (?3 = '' OR kind = ?3)
      AND id < CASE ?4 WHEN '' THEN 'g' ELSE ?4 END
    UNION ALL
    SELECT id FROM job INDEXED BY job_dataset
    WHERE ?1 <> '' AND ?2 NOT IN ('queued', 'running')
      AND dataset = ?1 AND (?2 = '' OR state = ?2) AND (?3 = '' OR kind = ?3)
      AND id < CASE ?4 WHEN '' THEN 'g' ELSE ?4 END
    UNION ALL
    SELECT id FROM job INDEXED BY job_kind
    WHERE ?3 <> '' AND ?1 = '' AND ?2 = ''
      AND kind = ?3 AND id < CASE ?4 WHEN '' THEN 'g' ELSE ?4 END
    UNION ALL
    SELECT id FROM job
    WHERE ?1 = '' AND ?2 = '' AND ?3 = '' AND id < CASE ?4 WHEN '' THEN 'g' ELSE ?4 END
    ORDER BY id DESC LIMIT ?5)
ORDER BY id DESC;

-- name: job_insert
INSERT INTO job (id, kind, dataset, label, source, options, request_id, bytes_total, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- name: job_end_abandoned
-- Jobs whose lease has expired at ?1 (now) and whose cancellation was requested.  The IN, here and
-- below, makes SQLite use the index of unfinished jobs.
UPDATE job SET state = 'cancelled', finished_at = ?1
WHERE state IN ('queued', 'running') AND state = 'running' AND lease_until < ?1
  AND is_cancel_requested = 1;

-- name: job_claim
-- ?1 now, ?2 the end of the lease, ?3 only this job ('' for the oldest), ?4 only this kind ('' for
-- any).  One job runs per dataset, and one of each kind without a dataset.  A queued job waits while
-- another runs, also after the lease of that one has expired, because it is older and is claimed
-- first.
UPDATE job
SET state = 'running', phase = '', attempt = attempt + 1, lease_until = ?2, heartbeat_at = ?1,
    started_at = CASE started_at WHEN 0 THEN ?1 ELSE started_at END
WHERE id = (
    SELECT id FROM job AS candidate
    WHERE state IN ('queued', 'running') AND (?3 = '' OR id = ?3) AND (?4 = '' OR kind = ?4)
      AND ((state = 'running' AND lease_until < ?1)
           OR (state = 'queued' AND NOT EXISTS (
                   SELECT 1 FROM job AS other
                   WHERE other.state IN ('queued', 'running') AND other.state = 'running'
                     AND other.dataset = candidate.dataset
                     AND (other.dataset <> '' OR other.kind = candidate.kind))))
    ORDER BY id LIMIT 1)
RETURNING id;

-- name: job_progress
-- ?1 id, ?2 phase, ?3-?6 counts, ?7 now, ?8 the end of the lease.  No row: it is not running.  When
-- counts decrease, the phase begins again: they are from another attempt.
UPDATE job
SET phase = ?2, bytes_total = ?3, bytes_done = ?4, rows_done = ?5, rows_rejected = ?6,
    heartbeat_at = ?7, lease_until = ?8,
    phase_at = CASE WHEN phase = ?2 AND ?4 >= phase_bytes THEN phase_at ELSE ?7 END,
    phase_bytes = CASE WHEN phase = ?2 AND ?4 >= phase_bytes THEN phase_bytes ELSE ?4 END
WHERE id = ?1 AND state = 'running'
RETURNING is_cancel_requested;

-- name: job_cancel
-- ?1 id, ?2 now.  No row: it does not exist or is finished.
UPDATE job
SET is_cancel_requested = 1,
    finished_at = CASE state WHEN 'queued' THEN ?2 ELSE 0 END,
    state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END
WHERE id = ?1 AND state IN ('queued', 'running')
RETURNING id;

-- name: job_finish
-- ?1 id, ?2 state, ?3 error, ?4 result, ?5 now.  No row: it does not exist or is finished.
UPDATE job SET state = ?2, error = ?3, result = ?4, finished_at = ?5, lease_until = 0
WHERE id = ?1 AND state IN ('queued', 'running')
RETURNING id;

-- name: job_requeue
-- ?1 id, ?2 now, ?3 how many attempts to subtract.
UPDATE job
SET state = CASE is_cancel_requested WHEN 1 THEN 'cancelled' ELSE 'queued' END,
    finished_at = CASE is_cancel_requested WHEN 1 THEN ?2 ELSE 0 END,
    lease_until = 0, phase = '', attempt = attempt - ?3
WHERE id = ?1 AND state = 'running';
