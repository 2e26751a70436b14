/* Storing events inside the writer's transaction: shared by event_add_in and the operation of a
 * batch; private to event*.c.
 *
 * What is the same for all events of one operation is read and written once: the newest id and
 * time at the start, each type when it first occurs, and the counts at the end. */
#pragma once

#include "base/table.h"
#include "players/event.h"

struct event_intake_type {
    struct str name;
    int64_t id;
    int64_t added; /* events of this type that are not in the counts yet */
};
struct event_intake {
    struct arena *arena;
    struct db *db;
    int64_t player_id;
    struct event_limits limits;
    int64_t next_id;
    int64_t now_ms;                  /* the events' server time, by event_clock.h */
    int64_t type_count;              /* types that clients created; -1: not counted yet */
    int64_t own_type_count;          /* of those, the ones this player was the first to send */
    struct event_intake_type *types; /* that have come, in their order */
    size_t types_seen, types_cap;
    struct table index; /* of `types`, by name */
};
/* `clock_ms` is the machine's clock. */
MUST_CHECK bool event_intake_begin(struct event_intake *in, struct arena *a, struct db *db,
                                   int64_t player_id, struct event_limits limits,
                                   int64_t clock_ms, struct err *err);
/* `out` is stored, duplicate or refused.  False: the operation must be undone as a whole. */
MUST_CHECK bool event_intake_add(struct event_intake *in, const struct event_new *event,
                                 struct event_result *out, struct err *err);
/* Writes the counts. */
MUST_CHECK bool event_intake_end(struct event_intake *in, struct err *err);
