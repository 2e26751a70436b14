/* The body of a batch: a JSON array, or NDJSON (a JSON value per line; blank lines are
 * nothing).
 *
 * The array is cut at its commas first and each item is then read alone, so that memory follows
 * the largest item and not the body, and an item may be as deep as an event that comes alone.
 */
#pragma once

#include "players/event.h"

/* Room for each event's longest meta and its other members. */
#define EVENT_BATCH_BYTES_MAX (EVENT_BATCH_MAX * (EVENT_META_BYTES_MAX + KIB))
/* One item; a longer one is refused unread. */
#define EVENT_ITEM_BYTES_MAX (EVENT_META_BYTES_MAX + 4 * KIB)

struct event_batch {
    struct event_new *events;     /* point into the body and the arena */
    struct event_result *results; /* EVENT_REFUSED where an item is no event */
    size_t count;
};
/* `is_ndjson`: by the media type; without it the first byte decides ('[' or '{').
 * Errors of the whole: malformed, where an array is not JSON all through; invalid, code
 * too_many_events.  In NDJSON a line that is not JSON is refused alone. */
MUST_CHECK bool event_batch_read(struct arena *a, struct str body, bool is_ndjson,
                                 struct event_batch *out, struct err *err);
