-- The data directory's id and count of changes, and what its folders have to do with the database.

-- name: data_directory_step
-- One publication or rollback more: id, count.
UPDATE data_directory SET catalogue_seq = catalogue_seq + 1 RETURNING id, catalogue_seq;

-- name: version_folder
-- ?1 dataset id, ?2 job id, as they name a folder: is it of a kept version, of a dropped one; is there
-- such a job, is that one unfinished, did it end without a version.
SELECT EXISTS (SELECT 1 FROM dataset_version
               WHERE job_id = ?2 AND dataset_id = ?1 AND dropped_at = 0),
       EXISTS (SELECT 1 FROM dataset_version WHERE job_id = ?2 AND dropped_at <> 0),
       EXISTS (SELECT 1 FROM job WHERE id = ?2),
       EXISTS (SELECT 1 FROM job WHERE id = ?2 AND finished_at = 0),
       EXISTS (SELECT 1 FROM job WHERE id = ?2 AND state IN ('failed', 'cancelled'));

-- name: version_file
-- ?1 dataset id, ?2 job id: what version.json says, without the query string of a URL, which may be
-- a secret.
SELECT d.name, d.is_public, v.number, v.schema, v.summaries, v.row_count, v.source_sha256, s.shown,
       v.source_bytes, v.label, v.created_at,
       CASE WHEN json_valid(j.result) THEN json_set(j.result, '$.source', s.shown) ELSE '{}' END
FROM dataset_version v JOIN dataset d ON d.id = v.dataset_id JOIN job j ON j.id = v.job_id
JOIN (SELECT job_id, CASE WHEN source LIKE 'http://%' OR source LIKE 'https://%'
                          THEN substr(source, 1, instr(source || '?', '?') - 1)
                          ELSE source END AS shown
      FROM dataset_version WHERE job_id = ?2) s
WHERE v.dataset_id = ?1 AND v.job_id = ?2;
