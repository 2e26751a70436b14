/* The server's time of events.  It follows the machine's clock, which may be set wrong for a
 * while by a person, a broken battery or a bad source of time, as little as that allows:
 *
 *     ahead by a minute or less    it follows at once
 *     ahead by more                it goes on by the steady clock, and follows after 10 minutes
 *     back, below no event         it follows at once
 *     back, below the newest       it stands still at that one's time until the clock has come
 *                                  up to it, but for no longer than it had gone on since the
 *                                  clock last set it; then it is taken back
 *
 *     clock     right | 400 days ahead                   | right
 *     events    right | right, ten minutes | ahead for d | still for d at the most | right
 *                                                                                  ^ a fall
 *
 * So it never falls as ids grow, but for the events named in the table event_fall: a span of
 * time is a span of ids between two of them.  A machine that slept or a service that was
 * stopped is no step: the steady clock goes on meanwhile.  After a start of the machine nobody
 * knows what the clock did, and it is believed as far as the rules above for `back` allow. */
#pragma once

#include "store/db.h"
#include "writer/client.h"

#define EVENT_CLOCK_STEP_MS INT64_C(60000)
#define EVENT_CLOCK_TAKEN_MS INT64_C(600000)

enum event_clock_state { EVENT_CLOCK_FOLLOWS, EVENT_CLOCK_WAITS, EVENT_CLOCK_HOLDS };

struct event_clock { /* a row of the table event_clock */
    int64_t offset_ms, since_at, stepped_at, held_at;
};
/* The rule, without a database: the time of an event now.  `clock_ms` is the machine's clock,
 * `steady_ms` the steady one, `newest_at` the time of the newest event (0 for none). */
int64_t event_clock_tell(struct event_clock *clock, int64_t clock_ms, int64_t steady_ms,
                         int64_t newest_at);
/* What it begins with at the start of a machine; `before` is the clock of the start before, or
 * NULL for none. */
struct event_clock event_clock_begin(const struct event_clock *before, int64_t clock_ms,
                                     int64_t steady_ms, int64_t newest_at);

/* Inside an operation of the writer: the time of an event that comes now, less than `newest_at`
 * where it falls. */
MUST_CHECK bool event_clock_now_in(struct db *db, int64_t clock_ms, int64_t newest_at,
                                   int64_t *now_ms, struct err *err);
/* The event that comes next is the first of a fall. */
MUST_CHECK bool event_clock_fall_in(struct db *db, int64_t first_id, struct err *err);

/* As it stands, for people: what the machine's clock has done is in `text`, "" while it is
 * followed. */
struct event_clock_view {
    enum event_clock_state state;
    int64_t offset_ms; /* for comparing: its change while FOLLOWS is a step that was taken */
    char text[160];
};
MUST_CHECK bool event_clock_view(struct db *db, struct event_clock_view *out, struct err *err);
/* The same, and a step is noticed and taken where no event comes. */
MUST_CHECK bool event_clock_tick(struct writer *w, struct event_clock_view *out,
                                 struct err *err);

extern const struct operation EVENT_CLOCK_OPERATIONS[]; /* ends with a NULL name */
