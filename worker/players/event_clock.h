/* The server's time of events.  It follows the machine's clock.  That may be set wrong for a
 * while, by a person, a broken battery or a bad time source, and events should be affected as
 * little as possible:
 *
 *     ahead by a minute or less    it follows at once
 *     ahead by more                it runs on by the steady clock, and follows after 10 minutes
 *     back, not before any event   it follows at once
 *     back, before the newest      it holds at the newest event's time until the clock has come
 *                                  up to it, but no longer than it had run since the clock last
 *                                  set it; then it follows, which is a fall
 *
 *     clock     right | 400 days ahead                   | right
 *     events    right | right, ten minutes | ahead for d | hold, at most for d | right
 *                                                                              ^ a fall
 *
 * So the time does not fall as ids grow, except at the events in the table event_fall: a span
 * of time is a span of ids between two of them.  A machine that slept, or a service that was
 * stopped, is not a step, because the steady clock ran on.  After a restart of the machine it
 * is unknown what the clock did meanwhile; the clock is then trusted within the rules for
 * `back` above. */
#pragma once

#include "store/db.h"
#include "writer/client.h"

#define EVENT_CLOCK_STEP_MS INT64_C(60000)
#define EVENT_CLOCK_TAKEN_MS INT64_C(600000)

enum event_clock_state { EVENT_CLOCK_FOLLOWS, EVENT_CLOCK_WAITS, EVENT_CLOCK_HOLDS };

struct event_clock { /* a row of the table event_clock */
    int64_t offset_ms, since_at, stepped_at, held_at;
};
/* The rule, without a database: the time of an event now, updating `clock`.  `clock_ms` is the
 * machine's clock, `steady_ms` the steady one, `newest_at` the time of the newest event (0:
 * there is none). */
int64_t event_clock_tell(struct event_clock *clock, int64_t clock_ms, int64_t steady_ms,
                         int64_t newest_at);
/* The state after a start of the machine; `before` is the state from before that start, or NULL
 * when there is none. */
struct event_clock event_clock_begin(const struct event_clock *before, int64_t clock_ms,
                                     int64_t steady_ms, int64_t newest_at);

/* Inside an operation of the writer: the time for an event stored now; below `newest_at` when
 * the time falls. */
MUST_CHECK bool event_clock_now_in(struct db *db, int64_t clock_ms, int64_t newest_at,
                                   int64_t *now_ms, struct err *err);
/* Records that the event with this id is the first after a fall. */
MUST_CHECK bool event_clock_fall_in(struct db *db, int64_t first_id, struct err *err);

/* The state for people: `text` says what the machine's clock has done; "" while it is
 * followed. */
struct event_clock_view {
    enum event_clock_state state;
    int64_t offset_ms; /* a change of it while FOLLOWS is a step that was followed */
    char text[160];
};
MUST_CHECK bool event_clock_view(struct db *db, struct event_clock_view *out, struct err *err);
/* The same; also notices and follows a step when no events come. */
MUST_CHECK bool event_clock_tick(struct writer *w, struct event_clock_view *out,
                                 struct err *err);

extern const struct operation EVENT_CLOCK_OPERATIONS[]; /* ends with a NULL name */
