-- Runs of the reports.  A list of columns is in the order of struct archive_run or struct
-- archive_report, so that one function reads each.

-- name: report_run_insert
-- ?1 job, ?2 date, ?3 is_scheduled, ?4 inputs, ?5 now.
INSERT INTO report_run (job_id, date, is_scheduled, inputs, finished_at)
VALUES (?1, ?2, ?3, ?4, ?5);

-- name: report_insert
-- ?1 job, ?2 name, ?3 sha256, ?4 bytes, ?5 warnings, ?6 error, ?7 place.
INSERT INTO report (job_id, name, sha256, bytes, warnings, error, place)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);

-- name: report_run_list
-- Newest first: ?1 only jobs with ids below ('' for all), ?2 date ('' for any), ?3 limit.
SELECT job_id, date, is_scheduled, inputs, finished_at FROM report_run
WHERE (?1 = '' OR job_id < ?1) AND (?2 = '' OR date = ?2)
ORDER BY job_id DESC LIMIT ?3;

-- name: report_of_run
-- ?1 job.
SELECT name, sha256, bytes, warnings, error FROM report WHERE job_id = ?1 ORDER BY place;

-- name: report_newest
-- ?1 name, ?2 date ('' for the newest that has the report): the last run of that date that made it.
SELECT r.name, r.sha256, r.bytes, r.warnings, r.error, u.job_id, u.date,
       u.finished_at
FROM report_run u JOIN report r ON r.job_id = u.job_id AND r.name = ?1
WHERE (?2 = '' OR u.date = ?2) AND r.sha256 <> ''
ORDER BY u.date DESC, u.job_id DESC LIMIT 1;

-- name: report_schedule_get
-- ?1 day: the job that was enqueued for it, or no row.
SELECT job_id FROM report_schedule WHERE day = ?1;

-- name: report_schedule_insert
-- ?1 day, ?2 job.  No row: the day has a run already.
INSERT INTO report_schedule (day, job_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING
RETURNING day;

-- name: report_deeplinks
-- Events of type ?1 with ids from ?2 and below ?3, at most ?4, oldest first.
SELECT id, player_id, json_extract(meta, '$.character'), json_extract(meta, '$.campaign')
FROM event
WHERE type_id = (SELECT id FROM event_type WHERE name = ?1) AND id >= ?2 AND id < ?3
ORDER BY id LIMIT ?4;
