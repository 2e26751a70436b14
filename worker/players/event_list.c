/* Reading events: lists and statistics.
 *
 *     filter           scanned, from its upper end down
 *     none             the table itself
 *     type             the index event_of_type
 *     player, type     the index event_player
 *     player           event_player for each of the player's types, merged by taking the newest
 *                      of their next events.  An index by player alone would make every
 *                      insert a third more expensive
 */
#include "players/event.h"

#include <inttypes.h>

/* The lowest id in the span that has this time or a later one; times do not fall in the span.
 */
static bool
first_at(struct db *db, struct event_span span, int64_t server_at, int64_t *id, struct err *err)
{
    int64_t low = span.from, high = span.below;
    /* Invariant: events below `low` are earlier; those from `high` on are not. */
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        scoped_stmt s = db_stmt(db, "event_from");
        stmt_bind_i64(s, 1, middle);
        stmt_bind_i64(s, 2, span.below);
        int got = stmt_step(s, err);
        if (got < 0)
            return false;
        if (got == 0 || stmt_i64(s, 1) >= server_at)
            high = middle;
        else
            low = stmt_i64(s, 0) + 1;
    }
    *id = low;
    return true;
}

/* The spans between the falls. */
static bool
read_stretches(struct arena *a, struct db *db, struct event_span **out, size_t *count,
               struct err *err)
{
    int64_t falls, newest;
    scoped_stmt last = db_stmt(db, "event_newest");
    scoped_stmt counted = db_stmt(db, "event_fall_count");
    /* The newest id is read first: a fall that the writer adds meanwhile is above it. */
    if (!stmt_run_i64(last, &newest, err) || !stmt_run_i64(counted, &falls, err))
        return false;
    struct event_span *spans = arena_array(a, (size_t)falls + 1, struct event_span);
    scoped_stmt s = db_stmt(db, "event_fall_list");
    size_t n = 0;
    int got = 0;
    spans[0].from = 0;
    while (n < (size_t)falls && (got = stmt_step(s, err)) == 1) {
        spans[n].below = stmt_i64(s, 0);
        spans[++n].from = stmt_i64(s, 0);
    }
    spans[n].below = MAX(newest + 1, spans[n].from);
    *out = spans;
    *count = n + 1;
    return got >= 0;
}

bool
event_spans(struct arena *a, struct db *db, int64_t since, int64_t until,
            struct event_span **out, size_t *count, struct err *err)
{
    struct event_span *spans;
    size_t n;
    if (!read_stretches(a, db, &spans, &n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct event_span whole = spans[i];
        if ((since != INT64_MIN && !first_at(db, whole, since, &spans[i].from, err)) ||
            (until != INT64_MAX && !first_at(db, whole, until, &spans[i].below, err)))
            return false;
    }
    *out = spans;
    *count = n;
    return true;
}

static bool
find_spans(struct arena *a, struct db *db, const struct event_filter *filter,
           struct event_span **out, size_t *count, struct err *err)
{
    int64_t before = filter->before_id ? filter->before_id : INT64_MAX;
    bool has_time = filter->since != INT64_MIN || filter->until != INT64_MAX;
    if (!has_time) {
        *out = arena_new(a, struct event_span);
        **out = (struct event_span){0, before};
        *count = 1;
        return true;
    }
    if (!event_spans(a, db, filter->since, filter->until, out, count, err))
        return false;
    for (size_t i = 0; i < *count; i++)
        (*out)[i].below = MIN((*out)[i].below, before);
    return true;
}

struct list {
    struct arena *arena;
    struct db *db;
    struct event_span span;
    uint64_t limit;
    struct event *events;
    size_t count;
};

static struct event
read_event(struct arena *a, struct stmt *s)
{
    return (struct event){.id = stmt_i64(s, 0),
                          .player_id = stmt_i64(s, 1),
                          .type = arena_str(a, stmt_str(s, 2)),
                          .client_id = arena_str(a, stmt_str(s, 3)),
                          .has_client_at = !stmt_is_null(s, 4),
                          .client_at = stmt_i64(s, 4),
                          .server_at = stmt_i64(s, 5),
                          .meta = arena_str(a, stmt_str(s, 6))};
}

/* A scan down one index. */
static bool
walk(struct list *l, const char *statement, int64_t type_id, int64_t player_id, struct err *err)
{
    scoped_stmt s = db_stmt(l->db, statement);
    stmt_bind_i64(s, 1, l->span.from);
    stmt_bind_i64(s, 2, l->span.below);
    stmt_bind_i64(s, 3, (int64_t)(l->limit - l->count));
    if (type_id)
        stmt_bind_i64(s, 4, type_id);
    if (player_id)
        stmt_bind_i64(s, 5, player_id);
    int got;
    while ((got = stmt_step(s, err)) == 1)
        l->events[l->count++] = read_event(l->arena, s);
    return got == 0;
}

struct head { /* the next event of one of the player's types */
    int64_t type_id;
    int64_t id; /* 0: no more */
};

static bool
step_head(struct list *l, int64_t player_id, struct head *head, int64_t below, struct err *err)
{
    scoped_stmt s = db_stmt(l->db, "event_player_below");
    stmt_bind_i64(s, 1, player_id);
    stmt_bind_i64(s, 2, head->type_id);
    stmt_bind_i64(s, 3, l->span.from);
    stmt_bind_i64(s, 4, below);
    return stmt_run_i64(s, &head->id, err);
}

static bool
count_heads(struct db *db, int64_t player_id, int64_t *count, struct err *err)
{
    scoped_stmt s = db_stmt(db, "event_player_type_count");
    stmt_bind_i64(s, 1, player_id);
    return stmt_run_i64(s, count, err);
}

static bool
read_heads(struct list *l, int64_t player_id, struct head **out, size_t *out_count,
           struct err *err)
{
    int64_t count, i = 0;
    if (!count_heads(l->db, player_id, &count, err))
        return false;
    struct head *heads = arena_array(l->arena, (size_t)count, struct head);
    scoped_stmt s = db_stmt(l->db, "event_player_types");
    stmt_bind_i64(s, 1, player_id);
    int got = 0;
    while (i < count && (got = stmt_step(s, err)) == 1)
        heads[i++].type_id = stmt_i64(s, 0);
    *out = heads;
    *out_count = (size_t)i;
    return got >= 0;
}

static struct head *
newest_head(struct head *heads, size_t count)
{
    struct head *newest = NULL;
    for (size_t i = 0; i < count; i++)
        if (heads[i].id && (!newest || heads[i].id > newest->id))
            newest = &heads[i];
    return newest;
}

bool
event_get(struct arena *a, struct db *db, int64_t id, struct event *out, struct err *err)
{
    scoped_stmt s = db_stmt(db, "event_get");
    stmt_bind_i64(s, 1, id);
    int got = stmt_step(s, err);
    if (got == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no event %" PRId64, id);
    if (got == 1)
        *out = read_event(a, s);
    return got == 1;
}

static bool
merge(struct list *l, int64_t player_id, struct err *err)
{
    struct head *heads, *next;
    size_t count;
    if (!read_heads(l, player_id, &heads, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!step_head(l, player_id, &heads[i], l->span.below, err))
            return false;
    while (l->count < l->limit && (next = newest_head(heads, count))) {
        int64_t id = next->id;
        if (!event_get(l->arena, l->db, id, &l->events[l->count], err) ||
            !step_head(l, player_id, next, id, err))
            return false;
        l->count++;
    }
    return true;
}

bool
event_find_type(struct db *db, struct str name, int64_t *id, struct err *err)
{
    scoped_stmt s = db_stmt(db, "event_type_get");
    stmt_bind_str(s, 1, name);
    return stmt_run_i64(s, id, err);
}

bool
event_list(struct arena *a, struct db *db, const struct event_filter *filter,
           struct event **out, size_t *out_count, struct err *err)
{
    struct list l = {.arena = a, .db = db, .limit = filter->limit};
    struct event_span *spans;
    size_t span_count;
    int64_t type_id = 0;
    l.events = arena_array(a, filter->limit, struct event);
    if (filter->type.n && !event_find_type(db, filter->type, &type_id, err))
        return false;
    if (!find_spans(a, db, filter, &spans, &span_count, err))
        return false;
    if (filter->type.n && type_id == 0)
        span_count = 0; /* the type was never sent */
    while (span_count-- > 0 && l.count < l.limit) {
        l.span = spans[span_count];
        bool ok = type_id && filter->player_id
                      ? walk(&l, "event_list_player_type", type_id, filter->player_id, err)
                  : type_id           ? walk(&l, "event_list_type", type_id, 0, err)
                  : filter->player_id ? merge(&l, filter->player_id, err)
                                      : walk(&l, "event_list", 0, 0, err);
        if (!ok)
            return false;
    }
    *out = l.events;
    *out_count = l.count;
    return true;
}

static bool
count_rows(struct db *db, int64_t player_id, int64_t *count, struct err *err)
{
    if (player_id)
        return count_heads(db, player_id, count, err);
    scoped_stmt s = db_stmt(db, "event_stats_size");
    return stmt_run_i64(s, count, err);
}

bool
event_stats(struct arena *a, struct db *db, int64_t player_id, struct event_count **out,
            size_t *out_count, struct err *err)
{
    int64_t count, i = 0;
    if (!count_rows(db, player_id, &count, err))
        return false;
    *out = arena_array(a, (size_t)count, struct event_count);
    scoped_stmt s = db_stmt(db, player_id ? "event_player_stats" : "event_stats");
    if (player_id)
        stmt_bind_i64(s, 1, player_id);
    int got = 0;
    /* The writer may have added a type since the types were counted. */
    while (i < count && (got = stmt_step(s, err)) == 1)
        (*out)[i++] = (struct event_count){arena_str(a, stmt_str(s, 0)), stmt_i64(s, 1)};
    *out_count = (size_t)i;
    return got >= 0;
}
