-- Events and their counts.  A list of columns is in the order of struct event.

-- name: event_newest
SELECT id, server_at FROM event ORDER BY id DESC LIMIT 1;

-- name: event_clock_get
SELECT boot, offset_ms, since_at, stepped_at, held_at FROM event_clock;

-- name: event_clock_set
INSERT OR REPLACE INTO event_clock (id, boot, offset_ms, since_at, stepped_at, held_at)
VALUES (1, ?1, ?2, ?3, ?4, ?5);

-- name: event_fall_add
-- Does nothing if ?1 is recorded already: then all events of that fall were refused.
INSERT INTO event_fall (first_id) VALUES (?1) ON CONFLICT DO NOTHING;

-- name: event_fall_list
SELECT first_id FROM event_fall ORDER BY first_id;

-- name: event_fall_count
SELECT count(*) FROM event_fall;

-- name: event_insert
-- ?2 player (0: unknown), ?4 the client's id ('': none), ?5 whether there is a client's time, ?6 it.
-- Changes nothing when the player's client has sent that id before.
INSERT INTO event (id, player_id, type_id, client_id, client_at, server_at, meta)
VALUES (?1, NULLIF(?2, 0), ?3, NULLIF(?4, ''), CASE ?5 WHEN 1 THEN ?6 END, ?7, ?8)
ON CONFLICT (player_id, client_id) WHERE client_id IS NOT NULL DO NOTHING;

-- name: event_of_client
SELECT id FROM event WHERE player_id = ?1 AND client_id = ?2;

-- name: event_player
-- A row if the player exists.
SELECT 1 FROM player WHERE id = ?1 AND deleted_at = 0;

-- name: event_type_get
SELECT id FROM event_type WHERE name = ?1;

-- name: event_type_count
-- Types that clients created: all, and those that player ?1 was the first to send.
SELECT count(*), count(*) FILTER (WHERE first_player_id = ?1) FROM event_type
WHERE name NOT IN ('earn', 'spend', 'deeplink_open');

-- name: event_type_add
-- ?2 player (0: the service itself).
INSERT INTO event_type (name, first_player_id) VALUES (?1, NULLIF(?2, 0)) RETURNING id;

-- name: event_type_counted
UPDATE event_type SET event_count = event_count + ?2 WHERE id = ?1;

-- name: event_player_counted
INSERT INTO player_event_count (player_id, type_id, event_count) VALUES (?1, ?2, ?3)
ON CONFLICT (player_id, type_id) DO UPDATE SET event_count = event_count + excluded.event_count;

-- name: event_from
-- The first event with an id from ?1 on and below ?2.
SELECT id, server_at FROM event WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT 1;

-- name: event_get
SELECT event.id, player_id, name, client_id, client_at, server_at, meta
FROM event JOIN event_type ON event_type.id = type_id
WHERE event.id = ?1;

-- name: event_list
-- Newest first: ids from ?1, below ?2, at most ?3.
SELECT event.id, player_id, name, client_id, client_at, server_at, meta
FROM event CROSS JOIN event_type ON event_type.id = type_id
WHERE event.id >= ?1 AND event.id < ?2
ORDER BY event.id DESC LIMIT ?3;

-- name: event_list_type
-- The same, of type ?4.
SELECT event.id, player_id, name, client_id, client_at, server_at, meta
FROM event CROSS JOIN event_type ON event_type.id = type_id
WHERE type_id = ?4 AND event.id >= ?1 AND event.id < ?2
ORDER BY event.id DESC LIMIT ?3;

-- name: event_list_player_type
-- The same, of type ?4 and player ?5.
SELECT event.id, player_id, name, client_id, client_at, server_at, meta
FROM event CROSS JOIN event_type ON event_type.id = type_id
WHERE player_id = ?5 AND type_id = ?4 AND event.id >= ?1 AND event.id < ?2
ORDER BY event.id DESC LIMIT ?3;

-- name: event_player_types
SELECT type_id FROM player_event_count WHERE player_id = ?1;

-- name: event_player_type_count
SELECT count(*) FROM player_event_count WHERE player_id = ?1;

-- name: event_player_below
-- The newest of player ?1 and type ?2 with an id from ?3 and below ?4.
SELECT id FROM event
WHERE player_id = ?1 AND type_id = ?2 AND id >= ?3 AND id < ?4
ORDER BY id DESC LIMIT 1;

-- name: event_stats
-- Of all players: type and count, largest first.
SELECT name, event_count FROM event_type WHERE event_count > 0 ORDER BY event_count DESC, name;

-- name: event_stats_size
SELECT count(*) FROM event_type;

-- name: event_player_stats
-- Of player ?1: type and count, largest first.
SELECT name, player_event_count.event_count
FROM player_event_count JOIN event_type ON event_type.id = type_id
WHERE player_id = ?1
ORDER BY player_event_count.event_count DESC, name;
