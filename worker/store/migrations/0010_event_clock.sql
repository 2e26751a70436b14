-- The server's time of events is its own clock, which follows the machine's (players/event_clock.h).

CREATE TABLE event_clock (                  -- one row, once there is an event
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    boot        TEXT NOT NULL,              -- of the machine: its steady clock begins anew with each
    offset_ms   INTEGER NOT NULL,           -- time of events less the steady clock
    since_at    INTEGER NOT NULL,           -- the time when it was last set by the machine's clock
    stepped_at  INTEGER NOT NULL,           -- steady: seen too far ahead since then; 0: is not
    held_at     INTEGER NOT NULL            -- steady: stands still since then; 0: does not
) STRICT;
-- Where the time of events was taken back all the same: the events from this id up to the next one's
-- have times of their own, which never fall among themselves.
CREATE TABLE event_fall (
    first_id    INTEGER PRIMARY KEY
) STRICT;
