-- Accounts and recent wrong passwords.

-- name: account_get
-- By id; no row for a deleted account.
SELECT id, username, balance, created_at FROM player WHERE id = ?1 AND deleted_at = 0;

-- name: account_password
-- By name in lower case.
SELECT id, password_hash FROM player WHERE username_folded = ?1;

-- name: account_password_of
-- By id.
SELECT username, password_hash FROM player WHERE id = ?1 AND deleted_at = 0;

-- name: account_insert
INSERT INTO player (username, username_folded, password_hash, created_at)
VALUES (?1, ?2, ?3, ?4) ON CONFLICT (username_folded) DO NOTHING
RETURNING id;

-- name: account_set_password
-- Replaces the hash ?3 by ?2; no row when the hash was changed meanwhile.
UPDATE player SET password_hash = ?2 WHERE id = ?1 AND password_hash = ?3 AND deleted_at = 0
RETURNING id;

-- name: account_delete
UPDATE player SET username = '', username_folded = NULL, password_hash = '', deleted_at = ?2
WHERE id = ?1 AND deleted_at = 0
RETURNING id;

-- name: login_failure_get
SELECT failures, since FROM login_failure WHERE subject = ?1;

-- name: login_failure_note
-- Counts one failure at ?2.  A window that began at ?3 or before has ended; one that begins after
-- ?2 is from before the clock was put back.  In either case a new window begins.
INSERT INTO login_failure (subject, failures, since) VALUES (?1, 1, ?2)
ON CONFLICT (subject) DO UPDATE SET
    failures = iif(since BETWEEN ?3 + 1 AND ?2, failures + 1, 1),
    since = iif(since BETWEEN ?3 + 1 AND ?2, since, ?2);

-- name: login_failure_sweep
-- Removes at most ?2 rows whose window began at ?1 or before.
DELETE FROM login_failure WHERE subject IN (
    SELECT subject FROM login_failure WHERE since <= ?1 ORDER BY since LIMIT ?2);

-- name: login_failure_trim
-- Keeps about the newest ?1 rows.
DELETE FROM login_failure WHERE since <= (
    SELECT since FROM login_failure ORDER BY since DESC LIMIT 1 OFFSET ?1);

-- name: login_failure_forget
-- All subjects with the account ?1.  '!' is the character after the blank, and names have neither.
DELETE FROM login_failure WHERE subject = 'account:' || ?1
    OR (subject >= 'both:' || ?1 || ' ' AND subject < 'both:' || ?1 || '!');

-- name: login_failure_clear
DELETE FROM login_failure WHERE subject = ?1;
