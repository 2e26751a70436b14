/* Storing the events of one player: the caller's end, which cuts them into operations, and the
 * operation itself, which the writer runs. */
#include "players/event_intake.h"

#include "base/clock.h"
#include "base/fs.h"
#include "role/disk.h"

#include <inttypes.h>
#include <stdio.h>

/* Half of the maximum of a message: the writer works on one while the next is being sent. */
#define OPERATION_BYTES_MAX (2 * MIB)
/* An upper bound of 2 numbers and 3 lengths. */
#define FIELDS_BYTES_MAX 64

struct batch {
    int64_t player_id; /* 0: nobody known */
    struct event_limits limits;
    struct event_new *events;
    size_t count;
};
struct answer { /* to one of its events */
    enum event_outcome outcome;
    int64_t id;
    struct str code, name, detail; /* of a refused one */
};
struct answers {
    struct answer *list;
    size_t count;
};

struct event_result
event_refused(struct arena *a, const struct err *why)
{
    struct err *kept = arena_new(a, struct err);
    *kept = *why;
    return (struct event_result){.outcome = EVENT_REFUSED, .err = kept};
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
 * pass it together. */
static bool
check_disk(struct db *db, struct err *err)
{
    uint64_t free_bytes = disk_free_bytes(db_path(db));
    return free_bytes >= DISK_RESERVE ||
           err_set(err, ERR_DISK_FULL,
                   "%" PRIu64 " MiB of disk are free, and events leave %" PRIu64
                   " to the wallets",
                   free_bytes / MIB, (uint64_t)(DISK_RESERVE / MIB));
}

static bool
run_store(struct arena *a, struct db *db, const void *argument, void *reply, struct err *err)
{
    const struct batch *batch = argument;
    struct answers *answers = reply;
    struct event_intake in;
    if (!check_disk(db, err) || !check_player(db, batch->player_id, err) ||
        !event_intake_begin(&in, a, db, batch->player_id, batch->limits, clock_now_ms(), err))
        return false;
    answers->list = arena_array(a, batch->count, struct answer);
    for (; answers->count < batch->count; answers->count++) {
        struct event_result result;
        if (!event_intake_add(&in, &batch->events[answers->count], &result, err))
            return false;
        struct answer *answer = &answers->list[answers->count];
        *answer = (struct answer){.outcome = result.outcome, .id = result.id};
        if (result.outcome == EVENT_REFUSED) {
            answer->code = arena_str(a, str_from(err_code(result.err)));
            answer->name = arena_str(a, str_from(result.err->name));
            answer->detail = arena_str(a, str_from(result.err->detail));
        }
    }
    return event_intake_end(&in, err);
}

static const struct codec EVENT = CODEC(
    struct event_new, CODEC_FIELD(struct event_new, type),
    CODEC_FIELD(struct event_new, client_id), CODEC_FIELD(struct event_new, meta),
    CODEC_FIELD(struct event_new, has_client_at), CODEC_FIELD(struct event_new, client_at));
static const struct codec BATCH =
    CODEC(struct batch, CODEC_FIELD(struct batch, player_id),
          CODEC_FIELD(struct batch, limits.types_max),
          CODEC_FIELD(struct batch, limits.types_per_player),
          CODEC_FIELD_LIST(struct batch, events, count, EVENT_BATCH_MAX, &EVENT));
static const struct codec ANSWER =
    CODEC(struct answer, CODEC_FIELD(struct answer, outcome), CODEC_FIELD(struct answer, id),
          CODEC_FIELD(struct answer, code), CODEC_FIELD(struct answer, name),
          CODEC_FIELD(struct answer, detail));
static const struct codec ANSWERS = CODEC(
    struct answers, CODEC_FIELD_LIST(struct answers, list, count, EVENT_BATCH_MAX, &ANSWER));

const struct operation EVENT_OPERATIONS[] = {
    {.name = "event_store", .argument = &BATCH, .reply = &ANSWERS, .run = run_store},
    {0},
};

/* The events of one operation: events[from, to) without those that are refused already. */
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
        const struct event_new *e = &p->events[p->to];
        bytes += e->type.n + e->client_id.n + e->meta.n + FIELDS_BYTES_MAX;
        if (bytes > OPERATION_BYTES_MAX && p->to > p->from)
            return;
    }
}

static void
read_answers(struct arena *a, const struct portion *p, const struct answer *answer)
{
    for (size_t i = p->from; i < p->to; i++) {
        struct event_result *r = &p->results[i];
        if (r->outcome == EVENT_REFUSED)
            continue;
        r->outcome = answer->outcome;
        r->id = answer->id;
        if (r->outcome == EVENT_REFUSED) {
            struct err why;
            (void)err_set_name(&why, ERR_INVALID, "", answer->name, "%" STR_FMT,
                               STR_ARG(answer->detail));
            snprintf(why.code, sizeof(why.code), "%" STR_FMT, STR_ARG(answer->code));
            *r = event_refused(a, &why);
        }
        answer++;
    }
}

static bool
store_portion(struct arena *a, struct writer *w, int64_t player_id, const struct portion *p,
              struct event_limits limits, struct err *err)
{
    struct answers answers;
    struct batch batch = {.player_id = player_id,
                          .limits = limits,
                          .events = arena_array(a, p->to - p->from, struct event_new)};
    for (size_t i = p->from; i < p->to; i++)
        if (p->results[i].outcome != EVENT_REFUSED)
            batch.events[batch.count++] = p->events[i];
    if (!writer_call(w, &EVENT_OPERATIONS[0], &batch, &answers, err))
        return false;
    if (answers.count != batch.count)
        return err_set(err, ERR_INTERNAL, "the writer answered %zu of %zu events",
                       answers.count, batch.count);
    read_answers(a, p, answers.list);
    return true;
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
            /* What was sent before remains stored, so each of the others gets its own
             * refusal. */
            struct event_result refused = event_refused(a, err);
            for (size_t i = p.from; i < count; i++)
                if (results[i].outcome != EVENT_REFUSED)
                    results[i] = refused;
            *err = (struct err){0};
            return true;
        }
        is_first = false;
        p.from = p.to;
    }
    return true;
}
