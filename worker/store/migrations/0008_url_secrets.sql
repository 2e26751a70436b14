-- A URL with a query is a secret (a signature, a token).  It is kept only as long as it may be
-- fetched, in the options of its job; everything that is shown has the URL without it.

CREATE TRIGGER job_url_is_forgotten AFTER UPDATE OF finished_at ON job
WHEN NEW.finished_at <> 0 AND json_extract(NEW.options, '$.import.url') IS NOT NULL
BEGIN UPDATE job SET options = json_remove(options, '$.import.url') WHERE id = NEW.id; END;

UPDATE job SET options = json_remove(options, '$.import.url')
WHERE finished_at <> 0 AND json_extract(options, '$.import.url') IS NOT NULL;

-- What was stored before.  Fragments and passwords never were.
UPDATE job SET source = substr(source, 1, instr(source, '?') - 1)
WHERE source GLOB 'http*://*' AND instr(source, '?') > 0;
UPDATE dataset_version SET source = substr(source, 1, instr(source, '?') - 1)
WHERE source GLOB 'http*://*' AND instr(source, '?') > 0;
UPDATE job SET result = json_set(result, '$.source',
    substr(json_extract(result, '$.source'), 1, instr(json_extract(result, '$.source'), '?') - 1))
WHERE result <> '' AND json_extract(result, '$.source') GLOB 'http*://*'
  AND instr(json_extract(result, '$.source'), '?') > 0;
-- Messages quoted the URL, and that of a redirect, as their last words but for a hint or two;
-- some told where its host is.
UPDATE job SET error = json_set(error, '$.detail',
    substr(json_extract(error, '$.detail'), 1, instr(json_extract(error, '$.detail'), '?') - 1)
    || '''')
WHERE error <> '' AND kind = 'import' AND json_extract(error, '$.detail') GLOB '*''http*://*[?]*';
UPDATE job SET error = json_set(error, '$.detail', 'the host has no address on the public internet')
WHERE error <> '' AND kind = 'import' AND json_extract(error, '$.code') = 'address_not_allowed';
