-- Datasets and their versions.  A list of columns is in the order of struct dataset or struct
-- dataset_version, so that one function reads them all.

-- name: dataset_get
SELECT d.id, d.name, d.is_public, d.created_at, d.updated_at, d.version, d.wanted_version, v.edition
FROM dataset d LEFT JOIN dataset_version v INDEXED BY dataset_version_kept
     ON v.dataset_id = d.id AND v.number = d.version AND v.dropped_at = 0
WHERE d.name = ?1;

-- name: dataset_list
-- Without datasets whose first import has not been published.
SELECT d.id, d.name, d.is_public, d.created_at, d.updated_at, d.version, d.wanted_version, v.edition
FROM dataset d JOIN dataset_version v INDEXED BY dataset_version_kept
     ON v.dataset_id = d.id AND v.number = d.version AND v.dropped_at = 0
ORDER BY d.name;

-- name: dataset_list_all
SELECT id, name, is_public, created_at, updated_at, version, wanted_version, 0 FROM dataset ORDER BY name;

-- name: dataset_ensure
-- ?1 name, ?2 is_public, ?3 now.
INSERT INTO dataset (name, is_public, created_at, updated_at) VALUES (?1, ?2, ?3, ?3)
ON CONFLICT (name) DO UPDATE SET is_public = excluded.is_public
WHERE is_public <> excluded.is_public;

-- name: dataset_version_get
-- ?1 name, ?2 number.
SELECT v.dataset_id, v.number, v.job_id, v.schema, v.summaries, v.row_count, v.source_sha256,
       v.source, v.label, v.source_bytes, v.created_at, v.number = d.version, v.dropped_at,
       v.rows_checksum, v.edition, v.checked_start, v.checked_at, v.damaged, v.damaged_at
FROM dataset d JOIN dataset_version v ON v.dataset_id = d.id
WHERE d.name = ?1 AND v.number = ?2;

-- name: dataset_version_current
-- ?1 name.
SELECT v.dataset_id, v.number, v.job_id, v.schema, v.summaries, v.row_count, v.source_sha256,
       v.source, v.label, v.source_bytes, v.created_at, 1, v.dropped_at,
       v.rows_checksum, v.edition, v.checked_start, v.checked_at, v.damaged, v.damaged_at
FROM dataset d JOIN dataset_version v ON v.dataset_id = d.id AND v.number = d.version
WHERE d.name = ?1;

-- name: dataset_version_list
-- ?1 dataset id.  Newest first, without the dropped ones.
SELECT v.dataset_id, v.number, v.job_id, v.schema, v.summaries, v.row_count, v.source_sha256,
       v.source, v.label, v.source_bytes, v.created_at, v.number = d.version, v.dropped_at,
       v.rows_checksum, v.edition, v.checked_start, v.checked_at, v.damaged, v.damaged_at
FROM dataset d JOIN dataset_version v ON v.dataset_id = d.id
WHERE d.id = ?1 AND v.dropped_at = 0
ORDER BY v.number DESC;

-- name: dataset_version_next
-- ?1 dataset id.  Dropped versions keep their rows, so that no number is used twice.
SELECT coalesce(max(number), 0) + 1 FROM dataset_version WHERE dataset_id = ?1;

-- name: dataset_version_before
-- ?1 dataset id, ?2 number: the newest kept version before it whose rows are not lost.
SELECT max(number) FROM dataset_version
WHERE dataset_id = ?1 AND number < ?2 AND dropped_at = 0 AND instr(damaged, 'rows.db') = 0;

-- name: dataset_version_insert
-- ?1 dataset id, ?2 number, ?3 job id, ?4 schema, ?5 summaries, ?6 rows, ?7 sha256, ?8 source,
-- ?9 source bytes, ?10 label, ?11 now, ?12 checksum of rows.db.  Counts as checked, since its
-- files were just written.
INSERT INTO dataset_version (dataset_id, number, job_id, schema, summaries, row_count,
                             source_sha256, source, source_bytes, label, created_at,
                             rows_checksum, checked_start, checked_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,
        coalesce((SELECT number FROM service_start), 0), ?11);

-- name: dataset_set_version
-- ?1 dataset id, ?2 number, ?3 now.  Also makes it the wanted version.
UPDATE dataset SET version = ?2, wanted_version = 0, updated_at = ?3 WHERE id = ?1;

-- name: dataset_version_drop
-- ?1 dataset id, ?2 how many are kept beside the current one, ?3 now.  The newest are kept; versions
-- whose rows are lost are dropped before others.
UPDATE dataset_version SET dropped_at = ?3
WHERE dataset_id = ?1 AND dropped_at = 0
  AND number IN (SELECT v.number FROM dataset_version v JOIN dataset d ON d.id = v.dataset_id
                 WHERE d.id = ?1 AND v.dropped_at = 0 AND v.number <> d.version
                 ORDER BY instr(v.damaged, 'rows.db') > 0, v.number DESC LIMIT -1 OFFSET ?2);

-- name: dataset_receipt
-- ?1 receipt, ?2 version: the receipt with its version.
SELECT json_set(?1, '$.version', ?2);

-- name: sweep_spool
-- ?1 job id: when it finished (0: not yet), and whether it is running.  No row: no such job.
SELECT finished_at, state = 'running' FROM job WHERE id = ?1;
