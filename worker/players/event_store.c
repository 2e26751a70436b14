/* Storing the events of one player: the caller's end, which cuts them into operations, and the
 * operation itself, which the writer runs.
 *
 *     event_store   u64 player (0: nobody known), u64 types_max, u64 types_per_player,
 *                   u64 count, then count times
 *                   str type, str client_id, str meta, u64 has_client_at, u64 client_at
 *     reply         count times u64 outcome, u64 id, and of a refused one
 *                   str code, str name, str detail */
#include "players/event_intake.h"

#include "base/clock.h"
#include "base/fs.h"
#include "writer/wire.h"

#include <inttypes.h>
#include <stdio.h>

/* Half of what a message may have: the writer begins the next while this one is on its way. */
#define OPERATION_BYTES_MAX (2 * MIB)
/* 2 numbers and 3 lengths, generously. */
#define FIELDS_BYTES_MAX 64
#define REPLY_BYTES_MAX (1 * MIB)

struct event_result
event_refused(struct arena *a, const struct err *why)
{
    struct err *kept = arena_new(a, struct err);
    *kept = *why;
    return (struct event_result){.outcome = EVENT_REFUSED, .err = kept};
}

static struct event_new
read_event(struct wire *w)
{
    struct event_new e = {.type = wire_str(w)};
    e.client_id = wire_str(w);
    e.meta = wire_str(w);
    e.has_client_at = wire_u64(w) != 0;
    e.client_at = (int64_t)wire_u64(w);
    return e;
}

static void
add_result(struct buf *reply, const struct event_result *r)
{
    wire_add_u64(reply, r->outcome);
    wire_add_u64(reply, (uint64_t)r->id);
    if (r->outcome != EVENT_REFUSED)
        return;
    wire_add_str(reply, str_from(err_code(r->err)));
    wire_add_str(reply, str_from(r->err->name));
    wire_add_str(reply, str_from(r->err->detail));
}

static bool
check_player(struct db *db, int64_t player_id, struct err *err)
{
    if (player_id == 0)
        return true;
    scoped_stmt s = db_stmt(db, "event_player");
    stmt_bind_i64(s, 1, player_id);
    int got = stmt_step(s, err);
    if (got == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no player %" PRId64, player_id);
    return got == 1;
}

/* Asked by the writer for each operation, one after the other, so that no crowd of senders can
 * pass it together.  Where it cannot be asked the disk itself refuses. */
static bool
check_disk(struct db *db, struct err *err)
{
    uint64_t free_bytes;
    struct err ignored = {0};
    if (!fs_free_bytes(db_path(db), &free_bytes, &ignored) || free_bytes >= EVENT_DISK_RESERVE)
        return true;
    return err_set(err, ERR_DISK_FULL,
                   "%" PRIu64 " MiB of disk are free, and events leave %" PRIu64
                   " to the wallets",
                   free_bytes / MIB, (uint64_t)(EVENT_DISK_RESERVE / MIB));
}

static bool
run_store(struct db *db, struct str request, struct buf *reply, struct err *err)
{
    struct wire w = {.rest = request};
    int64_t player_id = (int64_t)wire_u64(&w);
    struct event_limits limits = {.types_max = wire_u64(&w)};
    limits.types_per_player = wire_u64(&w);
    uint64_t count = wire_u64(&w);
    scoped_arena a = {0};
    struct event_intake in;
    if (count > EVENT_BATCH_MAX)
        return err_set(err, ERR_INTERNAL, "%" PRIu64 " events in one operation", count);
    if (!check_disk(db, err) || !check_player(db, player_id, err) ||
        !event_intake_begin(&in, &a, db, player_id, limits, clock_now_ms(), err))
        return false;
    for (uint64_t i = 0; i < count && !w.is_bad; i++) {
        struct event_new event = read_event(&w);
        struct event_result result;
        if (!event_intake_add(&in, &event, &result, err))
            return false;
        add_result(reply, &result);
    }
    return wire_end(&w, err) && event_intake_end(&in, err);
}

const struct operation EVENT_OPERATIONS[] = {
    {"event_store", run_store, false},
    {0},
};

static size_t
event_bytes(const struct event_new *e)
{
    return e->type.n + e->client_id.n + e->meta.n + FIELDS_BYTES_MAX;
}

static void
add_event(struct buf *out, const struct event_new *e)
{
    wire_add_str(out, e->type);
    wire_add_str(out, e->client_id);
    wire_add_str(out, e->meta);
    wire_add_u64(out, e->has_client_at);
    wire_add_u64(out, (uint64_t)e->client_at);
}

/* One operation's worth: events[from, to) without those that are refused already. */
struct portion {
    const struct event_new *events;
    struct event_result *results;
    size_t from, to;
};

static void
extend(struct portion *p, size_t count)
{
    size_t bytes = 0;
    for (p->to = p->from; p->to < count; p->to++) {
        if (p->results[p->to].outcome == EVENT_REFUSED)
            continue;
        bytes += event_bytes(&p->events[p->to]);
        if (bytes > OPERATION_BYTES_MAX && p->to > p->from)
            return;
    }
}

static void
add_events(const struct portion *p, struct buf *request)
{
    uint64_t count = 0;
    for (size_t i = p->from; i < p->to; i++)
        count += p->results[i].outcome != EVENT_REFUSED;
    wire_add_u64(request, count);
    for (size_t i = p->from; i < p->to; i++)
        if (p->results[i].outcome != EVENT_REFUSED)
            add_event(request, &p->events[i]);
}

static struct event_result
read_refusal(struct arena *a, struct wire *w)
{
    struct str code = wire_str(w), name = wire_str(w), detail = wire_str(w);
    struct err why;
    (void)err_set_name(&why, ERR_INVALID, "", name, "%" STR_FMT, STR_ARG(detail));
    snprintf(why.code, sizeof(why.code), "%" STR_FMT, STR_ARG(code));
    return event_refused(a, &why);
}

static bool
read_results(struct arena *a, const struct portion *p, struct str reply, struct err *err)
{
    struct wire w = {.rest = reply};
    for (size_t i = p->from; i < p->to; i++) {
        struct event_result *r = &p->results[i];
        if (r->outcome == EVENT_REFUSED)
            continue;
        r->outcome = (enum event_outcome)wire_u64(&w);
        r->id = (int64_t)wire_u64(&w);
        if (r->outcome == EVENT_REFUSED)
            *r = read_refusal(a, &w);
    }
    return wire_end(&w, err);
}

static bool
store_portion(struct arena *a, struct writer *w, int64_t player_id, const struct portion *p,
              struct event_limits limits, struct err *err)
{
    scoped_buf request, reply;
    buf_init(&request, OPERATION_BYTES_MAX + MIB);
    buf_init(&reply, REPLY_BYTES_MAX);
    wire_add_u64(&request, (uint64_t)player_id);
    wire_add_u64(&request, limits.types_max);
    wire_add_u64(&request, limits.types_per_player);
    add_events(p, &request);
    assert(!request.is_full);
    return writer_call(w, "event_store", buf_str(&request), &reply, err) &&
           read_results(a, p, buf_str(&reply), err);
}

/* What was stored before stays stored, so that each of the others has to say for itself that it
 * was not. */
static void
refuse_rest(struct arena *a, struct portion *p, size_t count, const struct err *why)
{
    struct event_result refused = event_refused(a, why);
    for (size_t i = p->from; i < count; i++)
        if (p->results[i].outcome != EVENT_REFUSED)
            p->results[i] = refused;
}

bool
event_store(struct arena *a, struct writer *w, int64_t player_id,
            const struct event_new *events, struct event_result *results, size_t count,
            struct event_limits limits, struct err *err)
{
    assert(count <= EVENT_BATCH_MAX);
    struct portion p = {.events = events, .results = results};
    bool is_first = true;
    while (p.from < count) {
        extend(&p, count);
        if (!store_portion(a, w, player_id, &p, limits, err)) {
            if (is_first)
                return false;
            refuse_rest(a, &p, count, err);
            *err = (struct err){0};
            return true;
        }
        is_first = false;
        p.from = p.to;
    }
    return true;
}
