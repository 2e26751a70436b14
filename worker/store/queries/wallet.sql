-- The wallet and the ledger.  All changes of one operation are stored together or not at all.

-- name: wallet_find_key
-- The entry for which the key was used: ?1 player, ?2 operation, ?3 key.
SELECT entry.amount, entry.reason, entry.balance_after, entry.id, entry.event_id
FROM idempotency JOIN ledger_entry AS entry ON entry.id = idempotency.ledger_id
WHERE idempotency.player_id = ?1 AND idempotency.operation = ?2 AND idempotency.key = ?3;

-- name: wallet_keep_key
-- ?1 player, ?2 operation, ?3 key, ?4 ledger entry.
INSERT INTO idempotency (player_id, operation, key, ledger_id) VALUES (?1, ?2, ?3, ?4);

-- name: wallet_read
SELECT balance, ledger_hash FROM player WHERE id = ?1 AND deleted_at = 0;

-- name: wallet_move
-- ?1 player, ?2 the amount (negative for spend), ?3 the resulting balance, ?4 the hash of the new last
-- entry.  Changes nothing when the balance is no longer the one for which the entry was made.  The
-- only statement that changes a balance.
UPDATE player SET balance = balance + ?2, ledger_hash = ?4, ledger_count = ledger_count + 1
WHERE id = ?1 AND deleted_at = 0 AND balance + ?2 = ?3;

-- name: wallet_balance
SELECT balance FROM player WHERE id = ?1 AND deleted_at = 0;

-- name: ledger_next_id
-- The id that the next entry will get; the event, which is stored first, contains it.
SELECT coalesce(max(id), 0) + 1 FROM ledger_entry;

-- name: ledger_insert
INSERT INTO ledger_entry (id, player_id, operation, amount, balance_after, reason, event_id,
                          created_at, hash)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- name: ledger_list
-- ?1 player, ?2 only ids below, ?3 limit; newest first.
SELECT id, player_id, operation = 'spend', amount, balance_after, reason, event_id, created_at
FROM ledger_entry WHERE player_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3;

-- name: ledger_count
-- How many entries the player ?1 has.
SELECT ledger_count FROM player WHERE id = ?1;

-- name: ledger_player_ids
-- ?1 only ids above, ?2 limit.
SELECT id FROM player WHERE id > ?1 ORDER BY id LIMIT ?2;

-- name: ledger_newest_player_ids
-- ?1 limit.
SELECT id FROM player ORDER BY id DESC LIMIT ?1;

-- name: ledger_players
-- What the rows of players ?1 to ?2 say about their ledgers.
SELECT id, balance, ledger_count, ledger_hash FROM player WHERE id BETWEEN ?1 AND ?2
ORDER BY id;

-- name: ledger_entries
-- All entries of players ?1 to ?2 in the order of their ids.  The + keeps SQLite from using the index
-- by player, which would read the table in random order.
SELECT id, player_id, operation = 'spend', amount, balance_after, reason, event_id, created_at,
       hash, operation IN ('earn', 'spend')
FROM ledger_entry WHERE +player_id BETWEEN ?1 AND ?2 ORDER BY id;

-- name: ledger_entry_before_newest
-- The entry of player ?1 after which there are exactly ?2 entries.
SELECT id, balance_after, hash FROM ledger_entry WHERE player_id = ?1
ORDER BY id DESC LIMIT 1 OFFSET ?2;

-- name: ledger_entries_of
-- The entries of player ?1 with ids above ?2, columns as in ledger_entries.
SELECT id, player_id, operation = 'spend', amount, balance_after, reason, event_id, created_at,
       hash, operation IN ('earn', 'spend')
FROM ledger_entry WHERE player_id = ?1 AND id > ?2 ORDER BY id;

-- name: ledger_player_count
SELECT count(*) FROM player;
