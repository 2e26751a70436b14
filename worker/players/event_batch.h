/* The body of a batch: a JSON array, or NDJSON (a JSON value per line; blank lines are
 * skipped).
 *
 * An array is first cut at its commas, and each item is then read alone.  So memory is bounded
 * by the largest item, not by the body, and an item may be nested as deep as a single event. */
#pragma once

#include "players/event.h"

/* Room for every event's longest meta and its other members. */
#define EVENT_BATCH_BYTES_MAX (EVENT_BATCH_MAX * (EVENT_META_BYTES_MAX + KIB))
/* The largest item; a longer one is refused without being parsed. */
#define EVENT_ITEM_BYTES_MAX (EVENT_META_BYTES_MAX + 4 * KIB)

struct event_batch {
    struct event_new *events;     /* point into the body and the arena */
    struct event_result *results; /* EVENT_REFUSED where an item is not an event */
    size_t count;
};
/* `is_ndjson`: the media type says so; otherwise the first byte decides ('[' or '{').  Errors
 * of the whole body: malformed when an array is not valid JSON; invalid, code too_many_events.
 * In NDJSON a line that is not JSON is refused alone. */
MUST_CHECK bool event_batch_read(struct arena *a, struct str body, bool is_ndjson,
                                 struct event_batch *out, struct err *err);
