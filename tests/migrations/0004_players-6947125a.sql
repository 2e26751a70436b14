-- Players, their wallets and their events.  Times are milliseconds since 1970-01-01T00:00:00Z.

CREATE TABLE player (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    username    TEXT NOT NULL,              -- as registered; '' once deleted
    username_folded TEXT UNIQUE,            -- in lower case; NULL once deleted: free to be taken
    password_hash TEXT NOT NULL,            -- Argon2id, as libsodium writes it; '' once deleted
    balance     INTEGER NOT NULL DEFAULT 0  -- at most 2^53 - 1: exact in every client's numbers
                CHECK (balance BETWEEN 0 AND 9007199254740991),
    ledger_count INTEGER NOT NULL DEFAULT 0 CHECK (ledger_count >= 0),
    ledger_hash BLOB NOT NULL DEFAULT (zeroblob(32))    -- of the player's last entry
                CHECK (length(ledger_hash) = 32),
    created_at  INTEGER NOT NULL,
    deleted_at  INTEGER NOT NULL DEFAULT 0, -- 0: not deleted
    CHECK ((deleted_at <> 0) = (username_folded IS NULL))
) STRICT;

-- One login.  Its id is the jti of its tokens, so that a token dies with its session.
CREATE TABLE session (
    id          TEXT NOT NULL PRIMARY KEY   -- 32 hex digits, random
                CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
    player_id   INTEGER NOT NULL REFERENCES player (id),
    refresh_hash BLOB NOT NULL UNIQUE       -- SHA-256 of the refresh token that is good now
                CHECK (length(refresh_hash) = 32),
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,           -- moves with each refresh
    revoked_at  INTEGER NOT NULL DEFAULT 0  -- 0: good
) STRICT;
CREATE INDEX session_player ON session (player_id);
CREATE INDEX session_expires ON session (expires_at);
-- Refresh tokens that were good once: who shows one has a copy, or somebody else has.
CREATE TABLE session_used_refresh (
    refresh_hash BLOB NOT NULL PRIMARY KEY CHECK (length(refresh_hash) = 32),
    session_id  TEXT NOT NULL REFERENCES session (id),
    expires_at  INTEGER NOT NULL            -- when it would have ended unused; then it is swept
) STRICT, WITHOUT ROWID;
CREATE INDEX session_used_refresh_session ON session_used_refresh (session_id);
CREATE INDEX session_used_refresh_expires ON session_used_refresh (expires_at);

-- Wrong passwords of late.
CREATE TABLE login_failure (
    subject     TEXT NOT NULL PRIMARY KEY,  -- account, address, or both; see players/throttle
    failures    INTEGER NOT NULL CHECK (failures > 0),
    since       INTEGER NOT NULL            -- of the first of them
) STRICT, WITHOUT ROWID;
CREATE INDEX login_failure_since ON login_failure (since);

CREATE TABLE ledger_entry (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    player_id   INTEGER NOT NULL REFERENCES player (id),
    operation   TEXT NOT NULL CHECK (operation IN ('earn', 'spend')),
    amount      INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 1000000000000),
    balance_after INTEGER NOT NULL CHECK (balance_after BETWEEN 0 AND 9007199254740991),
    reason      TEXT NOT NULL,              -- '' for none
    event_id    INTEGER NOT NULL,           -- its event; events may be cut off one day
    created_at  INTEGER NOT NULL,
    hash        BLOB NOT NULL               -- chain over the player's entries; see players/ledger.h
                CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX ledger_entry_player ON ledger_entry (player_id, id);
CREATE TRIGGER ledger_entry_stays BEFORE UPDATE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_entry_remains BEFORE DELETE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

-- What a repeated Idempotency-Key is answered from.  Kept for ever.
CREATE TABLE idempotency (
    player_id   INTEGER NOT NULL REFERENCES player (id),
    operation   TEXT NOT NULL CHECK (operation IN ('earn', 'spend')),
    key         TEXT NOT NULL,
    request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),   -- of amount and reason
    ledger_id   INTEGER NOT NULL REFERENCES ledger_entry (id),      -- holds the answer
    PRIMARY KEY (player_id, operation, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE event_type (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    event_count INTEGER NOT NULL DEFAULT 0 CHECK (event_count >= 0)     -- of all players
) STRICT;
-- server_at never falls as id grows, so a span of time is a span of ids.  No foreign keys: the
-- operation that inserts a batch has looked at its player and made its types.  An index ends in
-- the id by itself.
CREATE TABLE event (
    id          INTEGER PRIMARY KEY,        -- given out by players/event_intake
    player_id   INTEGER,                    -- NULL: nobody known (a deep link)
    type_id     INTEGER NOT NULL,
    client_id   TEXT,                       -- event_id of the client; NULL: none given
    client_at   INTEGER,                    -- ts_utc of the client; NULL: none given
    server_at   INTEGER NOT NULL,
    meta        TEXT NOT NULL               -- JSON as it was given
) STRICT;
CREATE INDEX event_player ON event (player_id, type_id);
CREATE INDEX event_of_type ON event (type_id);
CREATE UNIQUE INDEX event_client ON event (player_id, client_id) WHERE client_id IS NOT NULL;
CREATE TABLE player_event_count (
    player_id   INTEGER NOT NULL REFERENCES player (id),
    type_id     INTEGER NOT NULL REFERENCES event_type (id),
    event_count INTEGER NOT NULL CHECK (event_count > 0),
    PRIMARY KEY (player_id, type_id)
) STRICT, WITHOUT ROWID;
