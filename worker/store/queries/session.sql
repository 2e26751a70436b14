-- Logins and their refresh tokens.

-- name: session_is_good
-- A row if the session ?1 of player ?2 is valid at ?3.  The player is not looked up: when a player
-- is deleted, all sessions are revoked and no new one can begin.
SELECT 1 FROM session WHERE id = ?1 AND player_id = ?2 AND revoked_at = 0 AND expires_at > ?3;

-- name: session_insert
-- ?1 id, ?2 player, ?3 hash of the refresh token, ?4 now, ?5 when it expires.
INSERT INTO session (id, player_id, refresh_hash, used_at, expires_at, began_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?4);

-- name: session_began
SELECT began_at FROM session WHERE id = ?1;

-- name: session_of_refresh
-- The session whose current refresh token has this hash.
SELECT id, player_id, expires_at, revoked_at FROM session WHERE refresh_hash = ?1;

-- name: session_of_used_refresh
-- The session that had the refresh token with this hash, and when it was replaced.
SELECT session.id, player_id, session.expires_at, revoked_at, used.used_at
FROM session_used_refresh used JOIN session ON session.id = session_id
WHERE used.refresh_hash = ?1;

-- name: session_had_refresh
-- A row if ?2 is the hash of a refresh token of session ?1, current or used.
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
-- All sessions of player ?1 except ?2, at ?3.
UPDATE session SET revoked_at = ?3 WHERE player_id = ?1 AND id <> ?2 AND revoked_at = 0;

-- name: session_trim
-- Of the sessions of player ?1 except ?2, removes first revoked ones, then the least recently used.
-- Not by expires_at: after the lifetime was lowered, that would remove the newest.
DELETE FROM session WHERE id IN (
    SELECT id FROM session WHERE player_id = ?1
    ORDER BY revoked_at <> 0, used_at DESC, rowid DESC LIMIT -1 OFFSET ?2);

-- name: session_trim_used
-- The used refresh tokens of the sessions that session_trim removes.
DELETE FROM session_used_refresh WHERE session_id IN (
    SELECT id FROM session WHERE player_id = ?1
    ORDER BY revoked_at <> 0, used_at DESC, rowid DESC LIMIT -1 OFFSET ?2);

-- name: session_trim_used_of
-- All used refresh tokens of session ?1 except the newest ?2.
DELETE FROM session_used_refresh WHERE refresh_hash IN (
    SELECT refresh_hash FROM session_used_refresh WHERE session_id = ?1
    ORDER BY used_at DESC LIMIT -1 OFFSET ?2);

-- name: session_sweep_used
-- At most ?2 of those that expired before ?1.
DELETE FROM session_used_refresh WHERE refresh_hash IN (
    SELECT refresh_hash FROM session_used_refresh WHERE expires_at < ?1
    ORDER BY expires_at LIMIT ?2);

-- name: session_sweep
-- The same for sessions; one that still has used refresh tokens is kept until those expire.
DELETE FROM session WHERE id IN (
    SELECT id FROM session WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)
AND NOT EXISTS (SELECT 1 FROM session_used_refresh u WHERE u.session_id = session.id);
