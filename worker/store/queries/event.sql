-- Events and what is counted of them.  A list of columns is in the order of struct event.

-- name: event_newest
SELECT id, server_at FROM event ORDER BY id DESC LIMIT 1;

-- name: event_insert
-- ?2 player (0: nobody), ?4 the client's id ('': none), ?5 is there a client's time, ?6 which.
-- Changes nothing when the player's client has sent that id before.
INSERT INTO event (id, player_id, type_id, client_id, client_at, server_at, meta)
VALUES (?1, NULLIF(?2, 0), ?3, NULLIF(?4, ''), CASE ?5 WHEN 1 THEN ?6 END, ?7, ?8)
ON CONFLICT (player_id, client_id) WHERE client_id IS NOT NULL DO NOTHING;

-- name: event_of_client
SELECT id FROM event WHERE player_id = ?1 AND client_id = ?2;

-- name: event_player
-- A row when the player is there.
SELECT 1 FROM player WHERE id = ?1 AND deleted_at = 0;

-- name: event_type_get
SELECT id FROM event_type WHERE name = ?1;

-- name: event_type_count
-- Of the types that clients chose.
SELECT count(*) FROM event_type WHERE name NOT IN ('earn', 'spend', 'deeplink_open');

-- name: event_type_add
INSERT INTO event_type (name) VALUES (?1) RETURNING id;

-- name: event_type_counted
UPDATE event_type SET event_count = event_count + ?2 WHERE id = ?1;

-- name: event_player_counted
INSERT INTO player_event_count (player_id, type_id, event_count) VALUES (?1, ?2, ?3)
ON CONFLICT (player_id, type_id) DO UPDATE SET event_count = event_count + excluded.event_count;
