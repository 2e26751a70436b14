/* Events: what players did, as reported by games or noted by the service itself (earn, spend,
 * deeplink_open).  Each is stored once: the client's own event_id, unique per player, makes a
 * resend harmless.  The times of both clocks are kept.  The server's time (event_clock.h) does
 * not fall as ids grow, except at recorded falls, so a span of time is a few spans of ids,
 * nearly always one, and needs no index.
 *
 * Counts per type, for each player and in total, are updated with every insert: statistics read
 * a few rows however many events there are. */
#pragma once

#include "base/arena.h"
#include "writer/client.h"
#include "json/read.h"

#define EVENT_TYPE_BYTES_MAX 64 /* [A-Za-z0-9_.:-]+ */
#define EVENT_META_BYTES_MAX (8 * KIB)
#define EVENT_CLIENT_ID_BYTES_MAX 64
#define EVENT_BATCH_MAX 1000

/* The service's own types: a client may read but not send them (422, reserved_event_type). */
#define EVENT_EARN "earn"
#define EVENT_SPEND "spend"
#define EVENT_DEEPLINK "deeplink_open"
bool event_is_own_type(struct str type);

struct event_new {
    struct str type;
    struct str client_id; /* event_id; "" for none */
    struct str meta;      /* JSON text as given; "{}" when absent */
    int64_t client_at;    /* ms */
    bool has_client_at;
};
/* Reads one event from a body with the members event_type, meta, ts_utc (RFC 3339) and
 * event_id, and no others; all but event_type are optional.  Null counts as absent, except for
 * meta, which may be any JSON.  The result points into the value.  invalid, naming the member.
 */
MUST_CHECK bool event_parse(const struct json_value *value, struct event_new *out,
                            struct err *err);

enum event_outcome { EVENT_STORED, EVENT_DUPLICATE, EVENT_REFUSED };
struct event_result {
    enum event_outcome outcome;
    int64_t id;            /* of the event, or of the one it repeats */
    const struct err *err; /* why it was refused; NULL else, since nearly none is */
};
/* A refused event's result, with a copy of the reason in the arena. */
struct event_result event_refused(struct arena *a, const struct err *why);
/* Limits on the number of different event types that clients may create. */
struct event_limits {
    uint64_t types_max;        /* in total */
    uint64_t types_per_player; /* that one player was the first to send */
};
/* Stores the events of one player (0: nobody known), in operations that fit a message; an event
 * whose result is EVENT_REFUSED already (it did not parse) is passed over.  One that cannot be
 * stored is refused alone: invalid, code too_many_event_types; when the writer goes away
 * between two operations, the events of the second are refused with what the writer's caller
 * was told. False: none of them was stored (or the code is unknown_outcome); not_found for a
 * player who is gone, disk_full where less than DISK_RESERVE is free. */
MUST_CHECK bool event_store(struct arena *a, struct writer *w, int64_t player_id,
                            const struct event_new *events, struct event_result *results,
                            size_t count, struct event_limits limits, struct err *err);
/* Stores an event of the service's own, inside another operation; player_id 0: unknown. */
MUST_CHECK bool event_add_in(struct db *db, int64_t player_id, const struct event_new *event,
                             int64_t clock_ms, int64_t *id, struct err *err);

struct event {
    int64_t id;
    int64_t player_id; /* 0: unknown */
    struct str type, client_id, meta;
    int64_t client_at, server_at; /* ms */
    bool has_client_at;
};
/* not_found when there is no such event. */
MUST_CHECK bool event_get(struct arena *a, struct db *db, int64_t id, struct event *out,
                          struct err *err);
struct event_filter {
    int64_t player_id;    /* 0: all */
    struct str type;      /* "" for any */
    int64_t since, until; /* of the server's clock, half-open; INT64_MIN and INT64_MAX: none */
    int64_t before_id;    /* page: ids below this one; 0: from the newest */
    uint64_t limit;
};
/* Newest first, in the arena.  Takes milliseconds among 10 million events, whatever the
 * filter: a span of time is found by bisection, and a player's events of all types are merged
 * from those of each type. */
MUST_CHECK bool event_list(struct arena *a, struct db *db, const struct event_filter *filter,
                           struct event **out, size_t *out_count, struct err *err);
struct event_span { /* ids */
    int64_t from, below;
};
/* The spans of ids that hold every event from `since` on and before `until` by the server's
 * time: one for each span between two falls, the oldest first, in the arena. */
MUST_CHECK bool event_spans(struct arena *a, struct db *db, int64_t since, int64_t until,
                            struct event_span **out, size_t *count, struct err *err);

/* Sets `*id` to 0 for a type that was never sent. */
MUST_CHECK bool event_find_type(struct db *db, struct str type, int64_t *id, struct err *err);

struct event_count {
    struct str type;
    int64_t count;
};
/* The largest count first, then by name; of one player, or in total (0). */
MUST_CHECK bool event_stats(struct arena *a, struct db *db, int64_t player_id,
                            struct event_count **out, size_t *out_count, struct err *err);

extern const struct operation EVENT_OPERATIONS[]; /* ends with a NULL name */
