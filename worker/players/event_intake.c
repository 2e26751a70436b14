/* Ids are assigned here, one above the newest, instead of by AUTOINCREMENT, which would write a
 * second table for every row. */
#include "players/event_intake.h"

#include "base/hash.h"
#include "players/event_clock.h"

#include <inttypes.h>

bool
event_is_own_type(struct str type)
{
    static const struct str OWN[] = {STR_INIT(EVENT_EARN), STR_INIT(EVENT_SPEND),
                                     STR_INIT(EVENT_DEEPLINK)};
    for (size_t i = 0; i < COUNT_OF(OWN); i++)
        if (str_eq(type, OWN[i]))
            return true;
    return false;
}

bool
event_intake_begin(struct event_intake *in, struct arena *a, struct db *db, int64_t player_id,
                   struct event_limits limits, int64_t clock_ms, struct err *err)
{
    *in = (struct event_intake){.arena = a,
                                .db = db,
                                .player_id = player_id,
                                .limits = limits,
                                .type_count = -1,
                                .index.arena = a};
    scoped_stmt s = db_stmt(db, "event_newest");
    int got = stmt_step(s, err);
    in->next_id = got == 1 ? stmt_i64(s, 0) + 1 : 1;
    int64_t newest_at = got == 1 ? stmt_i64(s, 1) : 0;
    return got >= 0 && event_clock_now_in(db, clock_ms, newest_at, &in->now_ms, err) &&
           (in->now_ms >= newest_at || event_clock_fall_in(db, in->next_id, err));
}

static bool
count_types(struct event_intake *in, struct err *err)
{
    if (in->type_count >= 0)
        return true;
    scoped_stmt s = db_stmt(in->db, "event_type_count");
    stmt_bind_i64(s, 1, in->player_id);
    int got = stmt_step(s, err);
    in->type_count = got == 1 ? stmt_i64(s, 0) : -1;
    in->own_type_count = got == 1 ? stmt_i64(s, 1) : 0;
    return got >= 0;
}

static bool
check_room(const struct event_intake *in, struct str name, struct err *refusal)
{
    static const char CODE[] = "too_many_event_types";
    if ((uint64_t)in->type_count >= in->limits.types_max)
        return err_set_name(refusal, ERR_INVALID, CODE, STR("event_type"),
                            "there are %" PRIu64 " event types already, the most that are kept "
                            "(players.event_types_max), and '%" STR_FMT "' is another",
                            in->limits.types_max, STR_ARG(name));
    return (uint64_t)in->own_type_count < in->limits.types_per_player ||
           err_set_name(refusal, ERR_INVALID, CODE, STR("event_type"),
                        "this player was the first to send %" PRIu64
                        " event types already, the "
                        "most that one may (players.event_types_per_player), and '%" STR_FMT
                        "' is another",
                        in->limits.types_per_player, STR_ARG(name));
}

/* 1 created, 0 there are too many types (`refusal` says so), -1 error. */
static int
make_type(struct event_intake *in, struct str name, int64_t *id, struct err *refusal,
          struct err *err)
{
    bool is_own = event_is_own_type(name);
    if (!count_types(in, err))
        return -1;
    if (!is_own && !check_room(in, name, refusal))
        return 0;
    scoped_stmt s = db_stmt(in->db, "event_type_add");
    stmt_bind_str(s, 1, name);
    stmt_bind_i64(s, 2, is_own ? 0 : in->player_id);
    if (!stmt_run_i64(s, id, err))
        return -1;
    in->type_count += !is_own;
    in->own_type_count += !is_own;
    return 1;
}

/* NULL for a type that has not come yet. */
static struct event_intake_type *
seen_type(struct event_intake *in, struct str name)
{
    struct table_probe probe = table_probe(hash_bytes(name, 0));
    while (table_next(&in->index, &probe))
        if (str_eq(in->types[probe.place].name, name))
            return &in->types[probe.place];
    return NULL;
}

/* The player's event with this client id; 0 when there is none. */
static bool
find_first(struct event_intake *in, struct str client_id, int64_t *id, struct err *err)
{
    *id = 0;
    if (client_id.n == 0)
        return true;
    scoped_stmt s = db_stmt(in->db, "event_of_client");
    stmt_bind_i64(s, 1, in->player_id);
    stmt_bind_str(s, 2, client_id);
    return stmt_run_i64(s, id, err);
}

/* Sets `type` unless the event is a duplicate or refused, which `out` then says.  A resend
 * makes no type: it is a duplicate before its type is looked at. */
static bool
intern_type(struct event_intake *in, const struct event_new *event,
            struct event_intake_type **type, struct event_result *out, struct err *err)
{
    int64_t id, first = 0;
    if ((*type = seen_type(in, event->type)))
        return true;
    if (!event_find_type(in->db, event->type, &id, err))
        return false;
    if (id == 0 && !find_first(in, event->client_id, &first, err))
        return false;
    if (first) {
        out->outcome = EVENT_DUPLICATE;
        out->id = first;
        return true;
    }
    struct err refusal;
    int made = id ? 1 : make_type(in, event->type, &id, &refusal, err);
    if (made < 0)
        return false;
    if (made == 0) {
        *out = event_refused(in->arena, &refusal);
        return true;
    }
    in->types = arena_grow(in->arena, in->types, &in->types_cap, in->types_seen + 1,
                           sizeof(*in->types));
    table_add(&in->index, hash_bytes(event->type, 0), (uint32_t)in->types_seen);
    *type = &in->types[in->types_seen++];
    **type = (struct event_intake_type){.name = event->type, .id = id};
    return true;
}

/* Sets `*is_new` to false when the client's id existed already. */
static bool
insert(struct event_intake *in, const struct event_new *event, int64_t type_id, bool *is_new,
       struct err *err)
{
    int64_t before = db_total_changes(in->db);
    scoped_stmt s = db_stmt(in->db, "event_insert");
    stmt_bind_i64(s, 1, in->next_id);
    stmt_bind_i64(s, 2, in->player_id);
    stmt_bind_i64(s, 3, type_id);
    stmt_bind_str(s, 4, event->client_id);
    stmt_bind_i64(s, 5, event->has_client_at);
    stmt_bind_i64(s, 6, event->client_at);
    stmt_bind_i64(s, 7, in->now_ms);
    stmt_bind_str(s, 8, event->meta);
    bool ok = stmt_run(s, err);
    *is_new = db_total_changes(in->db) > before;
    return ok;
}

bool
event_intake_add(struct event_intake *in, const struct event_new *event,
                 struct event_result *out, struct err *err)
{
    struct event_intake_type *type;
    bool is_new;
    *out = (struct event_result){0};
    if (!intern_type(in, event, &type, out, err))
        return false;
    if (!type)
        return true;
    if (!insert(in, event, type->id, &is_new, err))
        return false;
    if (!is_new) {
        out->outcome = EVENT_DUPLICATE;
        return find_first(in, event->client_id, &out->id, err);
    }
    out->outcome = EVENT_STORED;
    out->id = in->next_id++;
    type->added++;
    return true;
}

static bool
add_counts(struct event_intake *in, const struct event_intake_type *type, struct err *err)
{
    scoped_stmt all = db_stmt(in->db, "event_type_counted");
    stmt_bind_i64(all, 1, type->id);
    stmt_bind_i64(all, 2, type->added);
    if (!stmt_run(all, err))
        return false;
    if (in->player_id == 0)
        return true;
    scoped_stmt own = db_stmt(in->db, "event_player_counted");
    stmt_bind_i64(own, 1, in->player_id);
    stmt_bind_i64(own, 2, type->id);
    stmt_bind_i64(own, 3, type->added);
    return stmt_run(own, err);
}

bool
event_intake_end(struct event_intake *in, struct err *err)
{
    for (size_t i = 0; i < in->types_seen; i++)
        if (in->types[i].added && !add_counts(in, &in->types[i], err))
            return false;
    return true;
}

bool
event_add_in(struct db *db, int64_t player_id, const struct event_new *event, int64_t clock_ms,
             int64_t *id, struct err *err)
{
    scoped_arena a = {0};
    struct event_intake in;
    struct event_result result;
    struct event_limits none = {UINT64_MAX, UINT64_MAX};
    if (!event_intake_begin(&in, &a, db, player_id, none, clock_ms, err) ||
        !event_intake_add(&in, event, &result, err) || !event_intake_end(&in, err))
        return false;
    *id = result.id;
    return true;
}
