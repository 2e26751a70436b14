-- The data directory's id and its count of publications; how its folders relate to the database.

-- name: data_directory_step
-- Counts one publication or rollback: id, count.
UPDATE data_directory SET catalogue_seq = catalogue_seq + 1 RETURNING id, catalogue_seq;

-- name: version_folder
-- ?1 dataset id, ?2 job id, as in the name of a folder: does it belong to a kept version; to a
-- dropped one; does the job exist; is it unfinished; did it end without a version; has a kept version
-- a checksum; which other dataset has a kept version of that job.
SELECT EXISTS (SELECT 1 FROM dataset_version
               WHERE job_id = ?2 AND dataset_id = ?1 AND dropped_at = 0),
       EXISTS (SELECT 1 FROM dataset_version WHERE job_id = ?2 AND dropped_at <> 0),
       EXISTS (SELECT 1 FROM job WHERE id = ?2),
       EXISTS (SELECT 1 FROM job WHERE id = ?2 AND finished_at = 0),
       EXISTS (SELECT 1 FROM job WHERE id = ?2 AND state IN ('failed', 'cancelled')),
       EXISTS (SELECT 1 FROM dataset_version
               WHERE job_id = ?2 AND dataset_id = ?1 AND dropped_at = 0 AND rows_checksum <> 0),
       (SELECT dataset_id FROM dataset_version
        WHERE job_id = ?2 AND dataset_id <> ?1 AND dropped_at = 0);

-- name: version_file
-- ?1 dataset id, ?2 job id: the contents of version.json.
SELECT d.name, d.is_public, v.number, v.schema, v.summaries, v.row_count, v.source_sha256, v.source,
       v.source_bytes, v.label, v.created_at,
       CASE WHEN json_valid(j.result) THEN j.result ELSE '{}' END, v.rows_checksum
FROM dataset_version v JOIN dataset d ON d.id = v.dataset_id JOIN job j ON j.id = v.job_id
WHERE v.dataset_id = ?1 AND v.job_id = ?2;

-- Adopting versions that the database does not have; see catalogue/adopt.

-- name: adopt_dataset
-- ?1 id (another one is assigned if it is in use), ?2 name, ?3 is_public, ?4 created_at.
INSERT INTO dataset (id, name, is_public, created_at, updated_at)
VALUES (CASE WHEN EXISTS (SELECT 1 FROM dataset WHERE id = ?1) THEN NULL ELSE ?1 END, ?2, ?3, ?4, ?4);

-- name: adopt_number
-- ?1 dataset id, ?2 number: that number, or the next free one if it is in use.
SELECT CASE WHEN EXISTS (SELECT 1 FROM dataset_version WHERE dataset_id = ?1 AND number = ?2)
            THEN (SELECT max(number) + 1 FROM dataset_version WHERE dataset_id = ?1)
            ELSE ?2 END;

-- name: adopt_job
-- ?1 id, ?2 dataset, ?3 label, ?4 source, ?5 bytes, ?6 rows, ?7 when it was published, ?8 receipt,
-- ?9 version.
INSERT INTO job (id, kind, dataset, state, label, source, bytes_total, bytes_done, rows_done,
                 created_at, started_at, finished_at, result)
VALUES (?1, 'import', ?2, 'succeeded', ?3, ?4, ?5, ?5, ?6, ?7, ?7, ?7, json_set(?8, '$.version', ?9))
ON CONFLICT (id) DO UPDATE SET state = 'succeeded', finished_at = excluded.finished_at,
                               lease_until = 0, error = '', result = excluded.result;

-- name: adopt_drop
-- ?1 job id, ?2 now.
UPDATE dataset_version SET dropped_at = ?2 WHERE job_id = ?1;

-- name: adopt_cancel
-- ?1 now: cancels the jobs in the queue of an older database, which cannot know whether they ran.
UPDATE job SET state = 'cancelled', finished_at = ?1, lease_until = 0
WHERE state IN ('queued', 'running') RETURNING id, kind, dataset;

-- name: adopt_count
-- ?1 the count to which it is raised.
UPDATE data_directory SET catalogue_seq = ?1;
