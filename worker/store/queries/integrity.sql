-- Whether the files of the versions are undamaged; see catalogue/integrity.h.  Frequent queries read
-- only the index dataset_version_kept.

-- name: integrity_is_due
-- ?1 this start, ?2 now, ?3 and ?4 ms between two checks of an undamaged and of a damaged version.  A
-- check in the future was made while the clock was wrong, so it does not count.
SELECT EXISTS (
    SELECT 1 FROM dataset_version INDEXED BY dataset_version_kept
    WHERE dropped_at = 0
      AND (checked_start <> ?1 OR checked_at > ?2
           OR checked_at + CASE damaged WHEN '' THEN ?3 ELSE ?4 END <= ?2));

-- name: integrity_next
-- The same; returns dataset and number of the version to check next.  A checked_at of 0 means that
-- a check was requested.
SELECT d.name, v.number
FROM dataset_version v INDEXED BY dataset_version_kept JOIN dataset d ON d.id = v.dataset_id
WHERE v.dropped_at = 0
  AND (v.checked_start <> ?1 OR v.checked_at > ?2
       OR v.checked_at + CASE v.damaged WHEN '' THEN ?3 ELSE ?4 END <= ?2)
ORDER BY v.checked_start <> ?1 DESC, (v.checked_start <> ?1 AND v.number = d.version) DESC,
         v.checked_at LIMIT 1;

-- name: integrity_is_waiting
-- ?1 this start: whether some current version has not been checked since.
SELECT EXISTS (
    SELECT 1 FROM dataset d JOIN dataset_version v INDEXED BY dataset_version_kept
         ON v.dataset_id = d.id AND v.number = d.version AND v.dropped_at = 0
    WHERE v.checked_start <> ?1);

-- name: integrity_troubles
-- ?1 this start.  In the order of struct integrity_trouble.
SELECT d.name, d.is_public, d.version, d.wanted_version, coalesce(w.damaged, v.damaged),
       coalesce(w.damaged_at, v.damaged_at), v.checked_start <> ?1
FROM dataset d
JOIN dataset_version v INDEXED BY dataset_version_kept
     ON v.dataset_id = d.id AND v.number = d.version AND v.dropped_at = 0
LEFT JOIN dataset_version w INDEXED BY dataset_version_kept
     ON w.dataset_id = d.id AND w.number = d.wanted_version AND w.dropped_at = 0
WHERE d.wanted_version <> 0 OR v.damaged <> '' OR v.checked_start <> ?1
ORDER BY d.name;

-- name: integrity_begin
-- ?1 this start.
INSERT INTO service_start (id, number) VALUES (1, ?1)
ON CONFLICT (id) DO UPDATE SET number = excluded.number;

-- name: integrity_start
SELECT number FROM service_start;

-- name: integrity_version
-- ?1 dataset id, ?2 number, ?3 edition: the dataset's name, what is damaged, and the job if the rows
-- have no checksum; no row when the files were changed since that edition or the version was dropped.
SELECT d.name, v.damaged, CASE v.rows_checksum WHEN 0 THEN v.job_id ELSE '' END
FROM dataset d JOIN dataset_version v ON v.dataset_id = d.id
WHERE v.dataset_id = ?1 AND v.number = ?2 AND v.edition = ?3 AND v.dropped_at = 0;

-- name: integrity_store
-- ?1 dataset id, ?2 number, ?3 what is damaged, ?4 now, ?5 checksum of rows.db (0: unknown), ?6 this
-- start.
UPDATE dataset_version
SET damaged = ?3, checked_at = ?4, checked_start = ?6,
    edition = edition + (damaged <> ?3),
    damaged_at = CASE WHEN ?3 = '' THEN 0 WHEN damaged_at = 0 THEN ?4 ELSE damaged_at END,
    rows_checksum = CASE rows_checksum WHEN 0 THEN ?5 ELSE rows_checksum END
WHERE dataset_id = ?1 AND number = ?2;

-- name: integrity_store_reindexed
-- ?1 dataset id, ?2 number, ?3 now, ?4 edition.  The version is checked next if its rows have no
-- checksum yet, or if other damage was found since that edition, which the reindexing may have
-- missed.
UPDATE dataset_version
SET damaged = CASE edition WHEN ?4 THEN '' ELSE damaged END,
    damaged_at = CASE edition WHEN ?4 THEN 0 ELSE damaged_at END,
    checked_at = CASE WHEN rows_checksum = 0 OR edition <> ?4 THEN 0 ELSE ?3 END,
    checked_start = CASE edition WHEN ?4 THEN coalesce((SELECT number FROM service_start), 0)
                                 ELSE checked_start END,
    edition = edition + 1
WHERE dataset_id = ?1 AND number = ?2;

-- name: integrity_doubt
-- ?1 dataset id, ?2 number, ?3 edition.
UPDATE dataset_version SET checked_at = 0
WHERE dropped_at = 0 AND dataset_id = ?1 AND number = ?2 AND edition = ?3 AND checked_at <> 0;

-- name: integrity_doubt_rows
-- ?1 the job that made the version.
UPDATE dataset_version SET checked_at = 0
WHERE dropped_at = 0 AND job_id = ?1 AND instr(damaged, 'rows.db') = 0;

-- name: integrity_stand_in
-- ?1 dataset id, ?2 the wanted number: that version if its rows are not lost, else the newest one
-- below it whose rows are not lost, else the newest.
SELECT number FROM dataset_version
WHERE dataset_id = ?1 AND dropped_at = 0 AND instr(damaged, 'rows.db') = 0
ORDER BY number = ?2 DESC, number < ?2 DESC, number DESC LIMIT 1;

-- name: integrity_wanted
-- ?1 dataset id: the version that should be current, the one that is, and whether another one, which
-- is no longer kept, was wanted.
SELECT coalesce(w.number, d.version), d.version, d.wanted_version <> 0 AND w.number IS NULL
FROM dataset d
LEFT JOIN dataset_version w
     ON w.dataset_id = d.id AND w.number = d.wanted_version AND w.dropped_at = 0
WHERE d.id = ?1;

-- name: integrity_set_version
-- ?1 dataset id, ?2 number, ?3 the wanted number (0: unchanged), ?4 now.
UPDATE dataset
SET updated_at = CASE version WHEN ?2 THEN updated_at ELSE ?4 END,
    version = ?2, wanted_version = ?3
WHERE id = ?1;

-- name: integrity_has_job
-- ?1 dataset, ?2 version: whether a job that reindexes it is unfinished.
SELECT EXISTS (SELECT 1 FROM job
               WHERE state IN ('queued', 'running') AND dataset = ?1 AND kind = 'reindex'
                 AND json_extract(options, '$.version') = ?2);
