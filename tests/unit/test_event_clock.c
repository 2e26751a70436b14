/* The time of events against clocks that are set: case by case, against a plain model over
 * random steps, and in the database with its falls. */
#include "dice.h"
#include "players/event_clock.h"
#include "temp_db.h"

#include "base/clock.h"

#include <inttypes.h>
#include <string.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define START (INT64_C(20000) * DAY)

/* A machine whose clock is wrong by `error_ms`, and whose steady clock began at 1,000 s. */
struct machine {
    struct event_clock clock;
    int64_t true_ms, error_ms, newest_at, slept_ms;
};

static int64_t
steady_of(const struct machine *m)
{
    return m->true_ms - START + 1000 * SECOND;
}

static struct machine
start_machine(void)
{
    struct machine m = {.true_ms = START};
    m.clock = event_clock_begin(NULL, START, steady_of(&m), 0);
    return m;
}

/* The time of an event that comes `after_ms` later. */
static int64_t
event_after(struct machine *m, int64_t after_ms)
{
    m->true_ms += after_ms;
    m->newest_at =
        event_clock_tell(&m->clock, m->true_ms + m->error_ms, steady_of(m), m->newest_at);
    return m->newest_at;
}

/* How far the time of that event is from the true time. */
static int64_t
error_after(struct machine *m, int64_t after_ms)
{
    return event_after(m, after_ms) - m->true_ms;
}

static void
a_clock_that_is_ahead_for_a_while_is_not_followed(void **state UNUSED)
{
    struct machine m = start_machine();
    for (int i = 0; i < 10; i++)
        assert_int_equal(error_after(&m, MINUTE), 0);
    m.error_ms = 400 * DAY;
    for (int i = 0; i < 10; i++)
        assert_int_equal(error_after(&m, 59 * SECOND), 0);
    m.error_ms = 0;
    assert_int_equal(error_after(&m, 0), 0);
    assert_int_equal(error_after(&m, DAY), 0);
    /* And without an event in between. */
    m.error_ms = -400 * DAY;
    m.error_ms = 0;
    assert_int_equal(error_after(&m, 1), 0);
}

static void
a_clock_that_stays_ahead_is_followed_after_ten_minutes(void **state UNUSED)
{
    struct machine m = start_machine();
    event_after(&m, HOUR);
    m.error_ms = 2 * HOUR;
    assert_int_equal(error_after(&m, 1), 0);
    assert_int_equal(error_after(&m, 10 * MINUTE - 1), 0);
    assert_int_equal(error_after(&m, 1), 2 * HOUR);
    assert_int_equal(error_after(&m, DAY), 2 * HOUR);
}

/* The ten minutes are of one stay: who is back in between begins again. */
static void
a_step_has_to_last_ten_minutes_at_a_stretch(void **state UNUSED)
{
    struct machine m = start_machine();
    event_after(&m, HOUR);
    for (int i = 0; i < 20; i++) {
        m.error_ms = 400 * DAY;
        assert_int_equal(error_after(&m, 1), 0);
        assert_int_equal(error_after(&m, 9 * MINUTE), 0);
        m.error_ms = 0;
        assert_int_equal(error_after(&m, SECOND), 0);
    }
}

static void
small_steps_are_followed_at_once(void **state UNUSED)
{
    struct machine m = start_machine();
    event_after(&m, HOUR);
    for (int i = 0; i < 100; i++) {
        m.error_ms += MINUTE - (i % 3) * 7 * SECOND;
        assert_int_equal(error_after(&m, 1), m.error_ms);
    }
}

/*    events   1 2 3 3 3 3 4 5
 *    clock    1 2 3 1 2 3 4 5    */
static void
behind_the_newest_event_time_stands_still(void **state UNUSED)
{
    struct machine m = start_machine();
    int64_t newest = event_after(&m, 2 * HOUR);
    m.error_ms = -HOUR;
    for (int i = 0; i < 59; i++)
        assert_int_equal(event_after(&m, MINUTE), newest);
    assert_int_equal(event_after(&m, MINUTE), newest);
    assert_int_equal(error_after(&m, 1), -HOUR);
    /* Back to where it was: ahead of what it is now. */
    m.error_ms = 0;
    assert_int_equal(error_after(&m, MINUTE), -HOUR);
    assert_int_equal(error_after(&m, 10 * MINUTE), 0);
}

static void
a_clock_that_is_back_for_a_while_is_followed_again_at_once(void **state UNUSED)
{
    struct machine m = start_machine();
    int64_t newest = event_after(&m, 2 * HOUR);
    m.error_ms = -HOUR;
    assert_int_equal(event_after(&m, MINUTE), newest);
    assert_int_equal(event_after(&m, MINUTE), newest);
    m.error_ms = 0;
    assert_int_equal(error_after(&m, MINUTE), 0);
}

static void
a_clock_back_above_the_newest_event_is_followed_at_once(void **state UNUSED)
{
    struct machine m = start_machine();
    event_after(&m, HOUR);
    m.error_ms = -HOUR;
    assert_int_equal(error_after(&m, 2 * HOUR), -HOUR);
}

/* Taken by mistake, 400 days ahead for twenty minutes: ten of them are paid back. */
static void
time_stands_still_for_no_longer_than_it_had_run_ahead(void **state UNUSED)
{
    struct machine m = start_machine();
    event_after(&m, DAY);
    m.error_ms = 400 * DAY;
    event_after(&m, 1);
    assert_int_equal(error_after(&m, 10 * MINUTE), 400 * DAY);
    int64_t newest = event_after(&m, 10 * MINUTE);
    m.error_ms = 0;
    assert_int_equal(event_after(&m, 1), newest);
    assert_int_equal(event_after(&m, 10 * MINUTE - 1), newest);
    assert_int_equal(error_after(&m, 1), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(error_after(&m, MINUTE), 0);
    /* Nothing of it is left: an hour back is held as ever. */
    newest = event_after(&m, DAY);
    m.error_ms = -HOUR;
    assert_int_equal(event_after(&m, 59 * MINUTE), newest);
    assert_int_equal(error_after(&m, MINUTE + 1), -HOUR);
}

/* With nobody sending anything the fall is told again and again, and held by nothing. */
static void
a_fall_waits_for_its_first_event(void **state UNUSED)
{
    struct machine m = start_machine();
    m.error_ms = 400 * DAY;
    m.clock = event_clock_begin(NULL, m.true_ms + m.error_ms, steady_of(&m), 0);
    int64_t newest = event_after(&m, 5 * SECOND);
    m.error_ms = 0;
    assert_int_equal(event_after(&m, 1), newest);
    m.true_ms += 6 * SECOND;
    for (int i = 0; i < 10; i++) {
        m.true_ms += MINUTE;
        assert_int_equal(event_clock_tell(&m.clock, m.true_ms, steady_of(&m), newest),
                         m.true_ms);
    }
    assert_int_equal(error_after(&m, 1), 0);
    assert_int_equal(error_after(&m, DAY), 0);
}

static void
a_machine_that_was_started_is_believed(void **state UNUSED)
{
    struct machine m = start_machine();
    int64_t newest = event_after(&m, DAY);
    /* Off for an hour; its steady clock begins anew. */
    int64_t clock_ms = newest + HOUR, steady_ms = 5 * SECOND;
    struct event_clock clock = event_clock_begin(&m.clock, clock_ms, steady_ms, newest);
    assert_int_equal(event_clock_tell(&clock, clock_ms, steady_ms, newest), clock_ms);
    /* With an empty battery: 1970, until the network tells the time. */
    clock = event_clock_begin(&m.clock, 0, steady_ms, newest);
    assert_int_equal(event_clock_tell(&clock, 0, steady_ms, newest), newest);
    assert_int_equal(event_clock_tell(&clock, MINUTE, steady_ms + MINUTE, newest), newest);
    clock_ms = newest + HOUR;
    steady_ms += 2 * MINUTE;
    assert_int_equal(event_clock_tell(&clock, clock_ms, steady_ms, newest),
                     newest + 2 * MINUTE);
    newest += 2 * MINUTE;
    assert_int_equal(
        event_clock_tell(&clock, clock_ms + 10 * MINUTE, steady_ms + 10 * MINUTE, newest),
        clock_ms + 10 * MINUTE);
    /* Nothing is known of before: ten minutes, whatever there is. */
    newest = START + 400 * DAY;
    clock = event_clock_begin(NULL, START, SECOND, newest);
    assert_int_equal(event_clock_tell(&clock, START, SECOND, newest), newest);
    assert_int_equal(
        event_clock_tell(&clock, START + 10 * MINUTE, SECOND + 10 * MINUTE, newest),
        START + 10 * MINUTE);
}

/* ---- against a model ---- */

/* The rules as they are told, in spans that have passed rather than in moments. */
struct model {
    int64_t line;      /* where the clock ought to be */
    int64_t ahead_for; /* -1: it is not */
    int64_t held_for;  /* the same */
    int64_t set_at, newest;
};

static void
model_set(struct model *m, int64_t clock, int64_t set_at)
{
    *m = (struct model){clock, -1, -1, set_at, m->newest};
}

static int64_t
model_pass(struct model *m, int64_t passed, int64_t clock)
{
    m->line += passed;
    m->ahead_for += m->ahead_for < 0 ? 0 : passed;
    m->held_for += m->held_for < 0 ? 0 : passed;
    int64_t gap = clock - m->line, behind = m->newest - clock;
    if (gap > MINUTE) {
        m->ahead_for = MAX(m->ahead_for, 0);
        if (m->ahead_for < 10 * MINUTE)
            return MAX(m->line, m->newest);
        model_set(m, clock, clock);
        return clock;
    }
    m->ahead_for = -1;
    if (behind <= 0) {
        m->line = gap > SECOND || gap < -SECOND ? clock : m->line;
        m->set_at = MIN(m->set_at, clock);
        m->held_for = -1;
        return clock;
    }
    if (behind <= SECOND && m->held_for < 0)
        return m->newest;
    m->held_for = MAX(m->held_for, 0);
    if (m->held_for < m->newest - m->set_at)
        return m->newest;
    model_set(m, clock, m->newest);
    return clock;
}

/* Milliseconds to years, in both directions; most of the time the clock is let alone or put
 * right. */
static int64_t
draw_error(int64_t error)
{
    static const int64_t SIZES[] = {2,           900,  1100,    50 * SECOND,
                                    70 * SECOND, HOUR, 3 * DAY, 400 * DAY};
    uint64_t what = dice_below(20);
    if (what > 3)
        return error;
    if (what > 1)
        return 0;
    int64_t size = (int64_t)dice_below((uint64_t)SIZES[dice_below(COUNT_OF(SIZES))] + 1);
    return what ? size : -size;
}

/* One event after the other. */
struct walk {
    int64_t before, still_for, ahead_for;
};

/* The time goes ahead of what has passed by a minute at the most, but for a clock that was
 * ahead of it for ten; and it falls to the clock, never beside it. */
static void
check_promises(struct walk *w, int64_t passed, int64_t clock_ms, int64_t told)
{
    w->ahead_for = clock_ms > w->before + w->still_for + passed + MINUTE - SECOND
                       ? w->ahead_for + passed
                       : 0;
    bool is_taken = told > w->before + w->still_for + passed + MINUTE + SECOND;
    bool is_fall = told < w->before;
    assert_true(told == clock_ms || (!is_taken && !is_fall));
    assert_true(w->ahead_for >= 10 * MINUTE || !is_taken);
    dice_reach("taken", is_taken);
    dice_reach("falls", is_fall);
    dice_reach("holds", told == w->before);
    w->still_for = told == w->before ? w->still_for + passed : 0;
    w->before = told;
}

static void
run_randomly(uint64_t run)
{
    static const int64_t PAUSES[] = {1, SECOND, MINUTE, 9 * MINUTE, 2 * HOUR};
    bool are_all_stored = run % 2;
    struct machine m = start_machine();
    struct model model = {m.true_ms, -1, -1, m.true_ms, 0};
    struct walk walk = {.before = m.true_ms};
    for (int i = 0; i < 500; i++) {
        int64_t passed =
            1 + (int64_t)dice_below((uint64_t)PAUSES[dice_below(COUNT_OF(PAUSES))]);
        m.error_ms = draw_error(m.error_ms);
        m.true_ms += passed;
        int64_t clock_ms = m.true_ms + m.error_ms;
        int64_t told = event_clock_tell(&m.clock, clock_ms, steady_of(&m), m.newest_at);
        int64_t expected = model_pass(&model, passed, clock_ms);
        if (told != expected)
            fail_msg("run %" PRIu64 ", step %d: %" PRId64 ", not %" PRId64, run, i, told,
                     expected);
        if (are_all_stored)
            check_promises(&walk, passed, clock_ms, told);
        if (are_all_stored || dice_below(3))
            model.newest = m.newest_at = told;
    }
}

static void
random_steps_agree_with_the_model_and_keep_the_promises(void **state UNUSED)
{
    dice_begin(__func__);
    for (size_t run = 1; run <= dice_rounds(1000); run++)
        run_randomly(run);
    dice_end();
}

/* ---- in the database ---- */

static int64_t
store_at(struct temp_db *t, int64_t clock_ms)
{
    struct err err = {0};
    struct event_new event = {.type = STR(EVENT_DEEPLINK), .meta = STR("{}")};
    int64_t id;
    if (!event_add_in(t->db, 0, &event, clock_ms, &id, &err))
        fail_msg("%s", err.detail);
    return temp_db_number(
        t, arena_printf(&t->arena, "SELECT server_at FROM event WHERE id = %" PRId64, id).p);
}

/* As if so much time had passed for the steady clock, and for the hold or the step. */
static void
pass(struct temp_db *t, int64_t ms)
{
    temp_db_exec(t, arena_printf(&t->arena,
                                 "UPDATE event_clock SET offset_ms = offset_ms + %" PRId64
                                 ", stepped_at = iif(stepped_at, stepped_at - %" PRId64
                                 ", 0), held_at = iif(held_at, held_at - %" PRId64 ", 0)",
                                 ms, ms, ms)
                        .p);
}

static size_t
count_between(struct temp_db *t, int64_t since, int64_t until)
{
    struct err err = {0};
    struct event *events;
    size_t count;
    struct event_filter filter = {.since = since, .until = until, .limit = 100};
    if (!event_list(&t->arena, t->db, &filter, &events, &count, &err))
        fail_msg("%s", err.detail);
    for (size_t i = 0; i < count; i++)
        assert_in_range(events[i].server_at, since, until - 1);
    return count;
}

static void
a_fall_is_recorded_and_lists_find_both_sides(void **state)
{
    struct temp_db *t = *state;
    int64_t now = clock_now_ms(), ahead = now + 400 * DAY;
    /* The service is started with a wrong clock, which is put right 5 seconds later. */
    assert_int_equal(store_at(t, ahead), ahead);
    pass(t, 5 * SECOND);
    assert_int_equal(store_at(t, ahead + 5 * SECOND), ahead + 5 * SECOND);
    assert_int_equal(store_at(t, now + 5 * SECOND), ahead + 5 * SECOND);
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM event_fall"), 0);
    pass(t, 6 * SECOND);
    assert_int_equal(store_at(t, now + 11 * SECOND), now + 11 * SECOND);
    pass(t, SECOND);
    assert_int_equal(store_at(t, now + 12 * SECOND), now + 12 * SECOND);
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM event_fall"), 1);
    assert_int_equal(temp_db_number(t, "SELECT first_id FROM event_fall"), 4);
    assert_int_equal(count_between(t, now, now + DAY), 2);
    assert_int_equal(count_between(t, ahead, ahead + DAY), 3);
    assert_int_equal(count_between(t, now + 12 * SECOND, INT64_MAX), 4);
    assert_int_equal(count_between(t, 0, now), 0);
}

static void
a_step_of_another_start_of_the_machine_is_none(void **state)
{
    struct temp_db *t = *state;
    int64_t now = clock_now_ms();
    assert_int_equal(store_at(t, now), now);
    assert_in_range(store_at(t, now + HOUR), now, now + SECOND);
    temp_db_exec(t, "UPDATE event_clock SET boot = 'of before'");
    assert_int_equal(store_at(t, now + HOUR), now + HOUR);
}

/* The operation of the jobs role, and what /readyz looks at. */
static void
the_clock_is_watched_without_an_event_too(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct event_clock_view view, seen;
    static const struct operation *const TABLES[] = {EVENT_CLOCK_OPERATIONS};
    struct writer *w = writer_open_local(t->db, TABLES, COUNT_OF(TABLES));
    assert_true(event_clock_tick(w, &view, &err));
    assert_int_equal(view.state, EVENT_CLOCK_FOLLOWS);
    assert_string_equal(view.text, "");
    /* It is as if the clock had been behind until now. */
    temp_db_exec(t, "UPDATE event_clock SET offset_ms = offset_ms - 3600000");
    assert_true(event_clock_view(t->db, &seen, &err));
    assert_int_equal(temp_db_number(t, "SELECT stepped_at FROM event_clock"), 0);
    assert_true(event_clock_tick(w, &view, &err));
    assert_int_equal(view.state, EVENT_CLOCK_WAITS);
    assert_int_equal(seen.state, EVENT_CLOCK_WAITS);
    assert_non_null(strstr(view.text, "put 3600 s ahead"));
    assert_true(temp_db_number(t, "SELECT stepped_at FROM event_clock") > 0);
    pass(t, 10 * MINUTE);
    temp_db_exec(t, "UPDATE event_clock SET offset_ms = offset_ms - 600000");
    assert_true(event_clock_tick(w, &view, &err));
    assert_int_equal(view.state, EVENT_CLOCK_FOLLOWS);
    /* And below the newest event. */
    store_at(t, clock_now_ms());
    temp_db_exec(t, "UPDATE event SET server_at = server_at + 7200000;"
                    " UPDATE event_clock SET since_at = since_at - 86400000");
    assert_true(event_clock_tick(w, &view, &err));
    assert_int_equal(view.state, EVENT_CLOCK_HOLDS);
    assert_non_null(strstr(view.text, "put back below the newest event"));
    const char *at = strstr(view.text, "for ");
    int held_s;
    assert_true(at && sscanf(at, "for %d s at the most", &held_s) == 1);
    assert_in_range(held_s, 7200 - 60, 7200); /* less what the test has taken */
    writer_close(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_is_ahead_for_a_while_is_not_followed),
        cmocka_unit_test(a_clock_that_stays_ahead_is_followed_after_ten_minutes),
        cmocka_unit_test(a_step_has_to_last_ten_minutes_at_a_stretch),
        cmocka_unit_test(small_steps_are_followed_at_once),
        cmocka_unit_test(behind_the_newest_event_time_stands_still),
        cmocka_unit_test(a_clock_that_is_back_for_a_while_is_followed_again_at_once),
        cmocka_unit_test(a_clock_back_above_the_newest_event_is_followed_at_once),
        cmocka_unit_test(time_stands_still_for_no_longer_than_it_had_run_ahead),
        cmocka_unit_test(a_fall_waits_for_its_first_event),
        cmocka_unit_test(a_machine_that_was_started_is_believed),
        cmocka_unit_test(random_steps_agree_with_the_model_and_keep_the_promises),
        DB_TEST(a_fall_is_recorded_and_lists_find_both_sides),
        DB_TEST(a_step_of_another_start_of_the_machine_is_none),
        DB_TEST(the_clock_is_watched_without_an_event_too),
    };
    return cmocka_run_group_tests_name("event clock", tests, NULL, NULL);
}
