-- Logins and their refresh tokens.

-- name: session_is_good
-- One row when the session ?1 of the player ?2 is good at ?3.  The player is not looked at:
-- who is deleted has no session left that is not revoked, and gets none.
SELECT 1 FROM session WHERE id = ?1 AND player_id = ?2 AND revoked_at = 0 AND expires_at > ?3;

-- name: session_insert
-- ?1 id, ?2 player, ?3 hash of the refresh token, ?4 now, ?5 when it expires.
INSERT INTO session (id, player_id, refresh_hash, used_at, expires_at, began_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?4);

-- name: session_began
SELECT began_at FROM session WHERE id = ?1;

-- name: session_of_refresh
-- Whose refresh token is good now, by its hash.
SELECT id, player_id, expires_at, revoked_at FROM session WHERE refresh_hash = ?1;

-- name: session_of_used_refresh
-- Whose it was, by its hash, and when another took its place.
SELECT session.id, player_id, session.expires_at, revoked_at, used.used_at
FROM session_used_refresh used JOIN session ON session.id = session_id
WHERE used.refresh_hash = ?1;

-- name: session_had_refresh
-- A row when ?2 is the hash of a refresh token of the session ?1, the one that is good now or one
-- before it.
SELECT 1 FROM session WHERE id = ?1 AND refresh_hash = ?2
UNION ALL SELECT 1 FROM session_used_refresh WHERE session_id = ?1 AND refresh_hash = ?2;

-- name: session_rotate
-- ?1 id, ?2 hash of the new refresh token, ?3 now, ?4 when it expires.
UPDATE session SET refresh_hash = ?2, used_at = ?3, expires_at = ?4 WHERE id = ?1;

-- name: session_keep_used
-- ?1 hash, ?2 session, ?3 now, ?4 when it would have expired.
INSERT INTO session_used_refresh (refresh_hash, session_id, used_at, expires_at)
VALUES (?1, ?2, ?3, ?4);

-- name: session_revoke
-- ?1 id, ?2 now.
UPDATE session SET revoked_at = ?2 WHERE id = ?1 AND revoked_at = 0;

-- name: session_revoke_others
-- All of the player ?1 but ?2, at ?3.
UPDATE session SET revoked_at = ?3 WHERE player_id = ?1 AND id <> ?2 AND revoked_at = 0;

-- name: session_trim
-- All of the player ?1 but ?2: first those go that were revoked, then those that were not used for
-- the longest time.  Not by expires_at: under a lifetime that was lowered the newest would go.
DELETE FROM session WHERE id IN (
    SELECT id FROM session WHERE player_id = ?1
    ORDER BY revoked_at <> 0, used_at DESC, rowid DESC LIMIT -1 OFFSET ?2);

-- name: session_trim_used
-- What holds those of session_trim.
DELETE FROM session_used_refresh WHERE session_id IN (
    SELECT id FROM session WHERE player_id = ?1
    ORDER BY revoked_at <> 0, used_at DESC, rowid DESC LIMIT -1 OFFSET ?2);

-- name: session_trim_used_of
-- All of the session ?1 but the newest ?2.
DELETE FROM session_used_refresh WHERE refresh_hash IN (
    SELECT refresh_hash FROM session_used_refresh WHERE session_id = ?1
    ORDER BY used_at DESC LIMIT -1 OFFSET ?2);

-- name: session_sweep_used
-- At most ?2 of those that expired before ?1.
DELETE FROM session_used_refresh WHERE refresh_hash IN (
    SELECT refresh_hash FROM session_used_refresh WHERE expires_at < ?1
    ORDER BY expires_at LIMIT ?2);

-- name: session_sweep
-- The same; one that has used refresh tokens left waits for their end.
DELETE FROM session WHERE id IN (
    SELECT id FROM session WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)
AND NOT EXISTS (SELECT 1 FROM session_used_refresh u WHERE u.session_id = session.id);
