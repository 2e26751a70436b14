/* The state is a row of the database, read by each operation that stores events (1 us) and
 * written when the clock stepped.  So it stays consistent with the events through every
 * rollback, every new writer and every kill. */
#include "players/event_clock.h"

#include "base/clock.h"
#include "base/date.h"
#include "base/fs.h"
#include "base/random.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The two clocks are read one after the other, and a machine's clock is constantly corrected by
 * fractions of a second; a smaller difference is not a step. */
#define SLACK_MS 1000
#define BOOT_DIGITS 36

struct event_clock
event_clock_begin(const struct event_clock *before, int64_t clock_ms, int64_t steady_ms,
                  int64_t newest_at)
{
    bool is_behind = clock_ms < newest_at;
    /* Without a state from before, it is not known how long the time had run ahead. */
    int64_t since_at = before ? before->since_at : newest_at - EVENT_CLOCK_TAKEN_MS;
    return (struct event_clock){.offset_ms = MAX(clock_ms, newest_at) - steady_ms,
                                .since_at = is_behind ? since_at : clock_ms};
}

static int64_t
set(struct event_clock *clock, int64_t clock_ms, int64_t steady_ms)
{
    *clock = (struct event_clock){.offset_ms = clock_ms - steady_ms, .since_at = clock_ms};
    return clock_ms;
}

/* The clock is ahead by more than EVENT_CLOCK_STEP_MS. */
static int64_t
tell_ahead(struct event_clock *clock, int64_t clock_ms, int64_t steady_ms, int64_t newest_at)
{
    if (clock->stepped_at == 0)
        clock->stepped_at = steady_ms;
    if (steady_ms - clock->stepped_at >= EVENT_CLOCK_TAKEN_MS)
        return set(clock, clock_ms, steady_ms);
    return MAX(steady_ms + clock->offset_ms, newest_at);
}

static int64_t
follow(struct event_clock *clock, int64_t clock_ms, int64_t steady_ms)
{
    int64_t drift_ms = clock_ms - (steady_ms + clock->offset_ms);
    if (drift_ms > SLACK_MS || drift_ms < -SLACK_MS)
        clock->offset_ms += drift_ms;
    clock->since_at = MIN(clock->since_at, clock_ms);
    clock->held_at = 0;
    return clock_ms;
}

/* The clock is behind the newest event.  The offset is kept: if the clock returns to where it
 * was, it is followed at once. */
static int64_t
tell_behind(struct event_clock *clock, int64_t clock_ms, int64_t steady_ms, int64_t newest_at)
{
    if (newest_at - clock_ms <= SLACK_MS && clock->held_at == 0)
        return newest_at;
    if (clock->held_at == 0)
        clock->held_at = steady_ms;
    if (steady_ms - clock->held_at < newest_at - clock->since_at)
        return newest_at;
    set(clock, clock_ms, steady_ms);
    /* There is nothing to hold until an event was stored, which is then the newest. */
    clock->since_at = newest_at;
    return clock_ms;
}

int64_t
event_clock_tell(struct event_clock *clock, int64_t clock_ms, int64_t steady_ms,
                 int64_t newest_at)
{
    if (clock_ms - (steady_ms + clock->offset_ms) > EVENT_CLOCK_STEP_MS)
        return tell_ahead(clock, clock_ms, steady_ms, newest_at);
    clock->stepped_at = 0;
    return clock_ms >= newest_at ? follow(clock, clock_ms, steady_ms)
                                 : tell_behind(clock, clock_ms, steady_ms, newest_at);
}

/* Identifies the start of the machine; where that is unknown, each process counts as a start.
 */
static struct str
boot_id(void)
{
    static char id[BOOT_DIGITS + 1];
    scoped_buf text = {.max = KIB};
    struct err ignored = {0};
    if (id[0])
        return str_from(id);
    if (fs_read_file(&text, AT_FDCWD, "/proc/sys/kernel/random/boot_id", &ignored) &&
        text.n >= BOOT_DIGITS)
        memcpy(id, text.p, BOOT_DIGITS);
    else
        random_hex(id, BOOT_DIGITS);
    return str_from(id);
}

/* The state as stored, and what it gives for the current time. */
struct reading {
    struct event_clock clock;
    bool is_stored; /* the row equals `clock` as it was read */
    int64_t clock_ms, steady_ms, newest_at;
    int64_t now_ms;
};

static bool
read_clock(struct db *db, struct reading *r, struct err *err)
{
    scoped_stmt s = db_stmt(db, "event_clock_get");
    int got = stmt_step(s, err);
    struct event_clock before = {0};
    if (got == 1)
        before = (struct event_clock){.offset_ms = stmt_i64(s, 1),
                                      .since_at = stmt_i64(s, 2),
                                      .stepped_at = stmt_i64(s, 3),
                                      .held_at = stmt_i64(s, 4)};
    bool is_same_boot = got == 1 && str_eq(stmt_str(s, 0), boot_id());
    r->clock = is_same_boot ? before
                            : event_clock_begin(got == 1 ? &before : NULL, r->clock_ms,
                                                r->steady_ms, r->newest_at);
    before = r->clock;
    r->now_ms = event_clock_tell(&r->clock, r->clock_ms, r->steady_ms, r->newest_at);
    r->is_stored = is_same_boot && memcmp(&before, &r->clock, sizeof(before)) == 0;
    return got >= 0;
}

static bool
store_clock(struct db *db, const struct reading *r, struct err *err)
{
    if (r->is_stored)
        return true;
    scoped_stmt s = db_stmt(db, "event_clock_set");
    stmt_bind_str(s, 1, boot_id());
    stmt_bind_i64(s, 2, r->clock.offset_ms);
    stmt_bind_i64(s, 3, r->clock.since_at);
    stmt_bind_i64(s, 4, r->clock.stepped_at);
    stmt_bind_i64(s, 5, r->clock.held_at);
    return stmt_run(s, err);
}

bool
event_clock_now_in(struct db *db, int64_t clock_ms, int64_t newest_at, int64_t *now_ms,
                   struct err *err)
{
    struct reading r = {
        .clock_ms = clock_ms, .steady_ms = clock_boot_ms(), .newest_at = newest_at};
    if (!read_clock(db, &r, err) || !store_clock(db, &r, err))
        return false;
    *now_ms = r.now_ms;
    return true;
}

bool
event_clock_fall_in(struct db *db, int64_t first_id, struct err *err)
{
    scoped_stmt s = db_stmt(db, "event_fall_add");
    stmt_bind_i64(s, 1, first_id);
    return stmt_run(s, err);
}

static void
describe(const struct reading *r, struct event_clock_view *out)
{
    scoped_buf at = {.max = KIB};
    date_add_timestamp(&at, r->newest_at);
    /* Rounded: each clock is truncated to milliseconds, so a difference of whole seconds may be
     * one millisecond less. */
    int64_t ahead_ms = r->clock_ms - (r->steady_ms + r->clock.offset_ms);
    int64_t ahead_s = llround((double)ahead_ms / 1e3);
    int64_t taken_s = (r->clock.stepped_at + EVENT_CLOCK_TAKEN_MS - r->steady_ms) / 1000;
    int64_t held_s =
        (r->newest_at - r->clock.since_at - (r->steady_ms - r->clock.held_at)) / 1000;
    *out = (struct event_clock_view){.offset_ms = r->clock.offset_ms};
    if (r->clock.stepped_at) {
        out->state = EVENT_CLOCK_WAITS;
        snprintf(out->text, sizeof(out->text),
                 "it was put %" PRId64 " s ahead; events go on without it, and follow it in "
                 "%" PRId64 " s unless it is put back",
                 ahead_s, taken_s);
    } else if (r->clock.held_at) {
        out->state = EVENT_CLOCK_HOLDS;
        snprintf(out->text, sizeof(out->text),
                 "it was put back below the newest event; events have that one's time, "
                 "%" STR_FMT ", for %" PRId64 " s at the most",
                 STR_ARG(buf_str(&at)), MIN(held_s, (r->newest_at - r->clock_ms) / 1000));
    }
}

static bool
look(struct db *db, struct reading *r, struct err *err)
{
    scoped_stmt s = db_stmt(db, "event_newest");
    int got = stmt_step(s, err);
    *r = (struct reading){.clock_ms = clock_now_ms(),
                          .steady_ms = clock_boot_ms(),
                          .newest_at = got == 1 ? stmt_i64(s, 1) : 0};
    return got >= 0 && read_clock(db, r, err);
}

bool
event_clock_view(struct db *db, struct event_clock_view *out, struct err *err)
{
    struct reading r;
    if (!look(db, &r, err))
        return false;
    describe(&r, out);
    return true;
}

static bool
run_tick(struct arena *a UNUSED, struct db *db, const void *argument UNUSED, void *view,
         struct err *err)
{
    struct reading r;
    if (!look(db, &r, err) || !store_clock(db, &r, err))
        return false;
    describe(&r, view);
    return true;
}

static const struct codec VIEW =
    CODEC(struct event_clock_view, CODEC_FIELD(struct event_clock_view, state),
          CODEC_FIELD(struct event_clock_view, offset_ms),
          CODEC_FIELD(struct event_clock_view, text));

const struct operation EVENT_CLOCK_OPERATIONS[] = {
    {.name = "event_clock_tick", .reply = &VIEW, .run = run_tick},
    {0},
};

bool
event_clock_tick(struct writer *w, struct event_clock_view *out, struct err *err)
{
    return writer_call(w, &EVENT_CLOCK_OPERATIONS[0], NULL, out, err);
}
