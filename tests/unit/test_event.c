/* Events: what is stored of them, what is counted, and what a list shows, against a plain array
 * of everything that was sent. */
#include "dice.h"
#include "temp_wallet.h"

#include "players/event.h"

#include <inttypes.h>

static const struct event_limits LIMITS = {1000, 1000}, TWO_TYPES = {2, 9};

static int64_t
add_own(struct temp_db *t, int64_t player_id, struct str type, int64_t now_ms)
{
    struct err err = {0};
    int64_t id;
    struct event_new event = {.type = type, .meta = STR("{\"amount\":5}")};
    if (!event_add_in(t->db, player_id, &event, now_ms, &id, &err))
        fail_msg("%s", err.detail);
    return id;
}

static struct event_result
store_one(struct temp_db *t, int64_t player_id, struct event_new event, struct event_limits max)
{
    struct err err = {0};
    struct event_result result = {0};
    if (!event_store(&t->arena, t->writer, player_id, &event, &result, 1, max, &err))
        fail_msg("%s", err.detail);
    return result;
}

static void
an_event_of_the_service_is_counted_for_its_player_and_for_all(void **state)
{
    struct temp_db *t = *state;
    add_players(t);
    assert_int_equal(add_own(t, 1, STR(EVENT_EARN), 1000), 1);
    assert_int_equal(add_own(t, 2, STR(EVENT_EARN), 1001), 2);
    assert_int_equal(add_own(t, 0, STR(EVENT_DEEPLINK), 1002), 3);
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM event WHERE player_id IS NULL"),
                     1);
    assert_int_equal(
        temp_db_number(t, "SELECT event_count FROM event_type WHERE name = 'earn'"), 2);
    assert_int_equal(temp_db_number(t, "SELECT sum(event_count) FROM player_event_count"), 2);
}

/* The least id of that time or later, where no time falls. */
static int64_t
first_at(struct temp_db *t, int64_t server_at)
{
    struct err err = {0};
    struct event_span *spans;
    size_t count;
    if (!event_spans(&t->arena, t->db, server_at, INT64_MAX, &spans, &count, &err))
        fail_msg("%s", err.detail);
    assert_int_equal(count, 1);
    return spans[0].from;
}

static void
the_time_of_the_server_never_falls_as_ids_grow(void **state)
{
    struct temp_db *t = *state;
    add_players(t);
    add_own(t, 1, STR(EVENT_EARN), 5000);
    add_own(t, 1, STR(EVENT_SPEND), 4000); /* the clock was set back */
    add_own(t, 1, STR(EVENT_SPEND), 6000);
    assert_int_equal(temp_db_number(t, "SELECT server_at FROM event WHERE id = 2"), 5000);
    assert_int_equal(temp_db_number(t, "SELECT server_at FROM event WHERE id = 3"), 6000);
    static const struct {
        int64_t at, id;
    } CASES[] = {{0, 0}, {5000, 0}, {5001, 3}, {6000, 3}, {6001, 4}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        int64_t id = first_at(t, CASES[i].at);
        assert_true(id == CASES[i].id || (CASES[i].id == 0 && id <= 1));
    }
}

static void
a_resend_is_a_duplicate_whatever_else_it_says(void **state)
{
    struct temp_db *t = *state;
    add_players(t);
    struct event_new event = {STR("kill"), STR("e-1"), STR("{\"n\":1}"), 7, true};
    struct event_result first = store_one(t, 1, event, LIMITS);
    assert_true(first.outcome == EVENT_STORED && first.id == 1);
    event.meta = STR("[2]");
    event.type = STR("another"); /* which is not made */
    struct event_result again = store_one(t, 1, event, (struct event_limits){1, 1});
    assert_true(again.outcome == EVENT_DUPLICATE && again.id == 1);
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM event_type"), 1);
    /* The id is the player's own. */
    event.type = STR("kill");
    struct event_result other = store_one(t, 2, event, LIMITS);
    assert_true(other.outcome == EVENT_STORED && other.id == 2);
    assert_int_equal(temp_db_number(t, "SELECT event_count FROM event_type"), 2);
}

static void
types_beyond_the_limit_are_refused_alone_and_own_types_do_not_count(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    add_players(t);
    add_own(t, 1, STR(EVENT_EARN), 1);
    struct event_new events[] = {
        {STR("a"), STR(""), STR("{}"), 0, false},
        {STR("b"), STR(""), STR("{}"), 0, false},
        {STR("c"), STR("x"), STR("{}"), 0, false},
        {STR("a"), STR(""), STR("{}"), 0, false},
    };
    struct event_result results[4] = {0};
    assert_true(event_store(&t->arena, t->writer, 1, events, results, 4, TWO_TYPES, &err));
    assert_true(results[0].outcome == EVENT_STORED && results[1].outcome == EVENT_STORED);
    assert_int_equal(results[2].outcome, EVENT_REFUSED);
    assert_string_equal(err_code(results[2].err), "too_many_event_types");
    assert_string_equal(results[2].err->name, "event_type");
    assert_non_null(strstr(results[2].err->detail, "2 event types already"));
    assert_int_equal(results[3].outcome, EVENT_STORED);
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM event"), 4);
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM event_type"), 3);
}

static void
a_player_brings_so_many_types_and_sends_those_of_others(void **state)
{
    struct temp_db *t = *state;
    struct event_new event = {STR("a"), STR(""), STR("{}"), 0, false};
    struct event_limits limits = {.types_max = 9, .types_per_player = 1};
    add_players(t);
    add_own(t, 1, STR(EVENT_EARN), 1);
    assert_int_equal(store_one(t, 1, event, limits).outcome, EVENT_STORED);
    event.type = STR("b");
    struct event_result refused = store_one(t, 1, event, limits);
    assert_int_equal(refused.outcome, EVENT_REFUSED);
    assert_non_null(strstr(refused.err->detail, "players.event_types_per_player"));
    assert_int_equal(store_one(t, 2, event, limits).outcome, EVENT_STORED);
    assert_int_equal(store_one(t, 1, event, limits).outcome, EVENT_STORED);
}

static void
the_types_of_one_batch_count_too(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct event_new events[] = {{.type = STR("a"), .meta = STR("{}")},
                                 {.type = STR("b"), .meta = STR("{}")},
                                 {.type = STR("c"), .meta = STR("{}")},
                                 {.type = STR("a"), .meta = STR("{}")}};
    struct event_result results[COUNT_OF(events)] = {0};
    struct event_limits limits = {.types_max = 9, .types_per_player = 2};
    add_players(t);
    assert_true(
        event_store(&t->arena, t->writer, 1, events, results, COUNT_OF(events), limits, &err));
    for (size_t i = 0; i < COUNT_OF(events); i++)
        assert_int_equal(results[i].outcome, i == 2 ? EVENT_REFUSED : EVENT_STORED);
}

static void
a_player_who_is_gone_stores_nothing(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct event_new event = {STR("a"), STR(""), STR("{}"), 0, false};
    struct event_result result = {0};
    assert_false(event_store(&t->arena, t->writer, 77, &event, &result, 1, LIMITS, &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM event"), 0);
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM event_type"), 0);
}

/* The model: what was stored, in order of ids from 1. */
struct sent {
    int64_t player_id;
    unsigned type;
    char client_id[8]; /* "" for none */
    int64_t server_at;
};
#define SENT_MAX 4000
#define MODEL_TYPES 12
struct model {
    struct temp_db *t;
    struct sent sent[SENT_MAX];
    size_t count;
};

static struct str
type_name(struct model *m, unsigned type)
{
    return arena_printf(&m->t->arena, "type_%u", type);
}

/* The id of the first of the player's events with that client id, or 0. */
static int64_t
model_first(const struct model *m, int64_t player_id, const char *client_id)
{
    for (size_t i = 0; client_id[0] && i < m->count; i++)
        if (m->sent[i].player_id == player_id && !strcmp(m->sent[i].client_id, client_id))
            return (int64_t)i + 1;
    return 0;
}

static void
send_batch(struct model *m)
{
    enum { BATCH_MAX = 40 };
    struct err err = {0};
    struct event_new events[BATCH_MAX] = {0};
    struct event_result results[BATCH_MAX] = {0};
    struct sent drawn[BATCH_MAX] = {0};
    int64_t player_id = 1 + (int64_t)dice_below(3);
    size_t count = dice_below(BATCH_MAX) + 1;
    for (size_t i = 0; i < count; i++) {
        drawn[i].player_id = player_id;
        drawn[i].type = (unsigned)(dice_below(50) ? dice_below(4) : dice_below(MODEL_TYPES));
        if (dice_below(2))
            snprintf(drawn[i].client_id, sizeof(drawn[i].client_id), "c%u",
                     (unsigned)dice_below(3000));
        events[i] = (struct event_new){.type = type_name(m, drawn[i].type),
                                       .client_id = str_from(drawn[i].client_id),
                                       .meta = STR("{}")};
        if (dice_below(10) == 0)
            results[i].outcome = EVENT_REFUSED;
    }
    if (!event_store(&m->t->arena, m->t->writer, player_id, events, results, count, LIMITS,
                     &err))
        fail_msg("%s", err.detail);
    for (size_t i = 0; i < count; i++) {
        dice_reach("refused", results[i].outcome == EVENT_REFUSED);
        if (results[i].outcome == EVENT_REFUSED)
            continue;
        int64_t first = model_first(m, player_id, drawn[i].client_id);
        assert_int_equal(results[i].outcome, first ? EVENT_DUPLICATE : EVENT_STORED);
        assert_int_equal(results[i].id, first ? first : (int64_t)m->count + 1);
        dice_reach("stored", !first);
        dice_reach("duplicate", first);
        if (!first)
            m->sent[m->count++] = drawn[i];
    }
}

/* Real batches come within a millisecond; the tests of spans want times apart, and now and then
 * a fall. */
static void
spread_times(struct model *m, bool has_falls)
{
    int64_t taken_back = 0;
    for (size_t i = 0; i < m->count; i++) {
        int64_t id = (int64_t)i + 1;
        if (has_falls && dice_below(300) == 0) {
            taken_back = (int64_t)dice_below(10000);
            temp_db_exec(m->t, arena_printf(&m->t->arena,
                                            "INSERT INTO event_fall VALUES (%" PRId64 ")", id)
                                   .p);
        }
        m->sent[i].server_at = 1000 + id / 3 * 10 - taken_back;
        temp_db_exec(m->t, arena_printf(&m->t->arena,
                                        "UPDATE event SET server_at = %" PRId64
                                        " WHERE id = %" PRId64,
                                        m->sent[i].server_at, id)
                               .p);
    }
}

static bool
model_matches(struct model *m, const struct event_filter *f, size_t i)
{
    const struct sent *s = &m->sent[i];
    return (!f->player_id || s->player_id == f->player_id) &&
           (!f->type.n || str_eq(type_name(m, s->type), f->type)) && s->server_at >= f->since &&
           s->server_at < f->until && (!f->before_id || (int64_t)i + 1 < f->before_id);
}

static void
compare_list(struct model *m, const struct event_filter *f)
{
    struct err err = {0};
    struct event *events;
    size_t count, at = 0;
    if (!event_list(&m->t->arena, m->t->db, f, &events, &count, &err))
        fail_msg("%s", err.detail);
    for (size_t i = m->count; i-- > 0 && at < f->limit;) {
        if (!model_matches(m, f, i))
            continue;
        assert_true(at < count);
        assert_int_equal(events[at].id, i + 1);
        assert_int_equal(events[at].player_id, m->sent[i].player_id);
        assert_int_equal(events[at].server_at, m->sent[i].server_at);
        assert_true(str_eq(events[at].client_id, str_from(m->sent[i].client_id)));
        assert_true(str_eq(events[at].type, type_name(m, m->sent[i].type)));
        at++;
    }
    assert_int_equal(count, at);
    dice_reach("empty list", count == 0);
    dice_reach("whole list", count > 0 && count < f->limit);
    dice_reach("full page", count == f->limit);
}

static void
compare_stats(struct model *m, int64_t player_id)
{
    struct err err = {0};
    struct event_count *counts;
    size_t count;
    int64_t sum = 0;
    if (!event_stats(&m->t->arena, m->t->db, player_id, &counts, &count, &err))
        fail_msg("%s", err.detail);
    for (size_t i = 0; i < count; i++) {
        struct event_filter f = {player_id, counts[i].type, INT64_MIN, INT64_MAX, 0, 1};
        int64_t expected = 0;
        for (size_t j = 0; j < m->count; j++)
            expected += model_matches(m, &f, j);
        assert_int_equal(counts[i].count, expected);
        if (i)
            assert_true(counts[i - 1].count > counts[i].count ||
                        (counts[i - 1].count == counts[i].count &&
                         str_cmp(counts[i - 1].type, counts[i].type) < 0));
        sum += expected;
    }
    struct event_filter all = {player_id, {0}, INT64_MIN, INT64_MAX, 0, 1};
    int64_t total = 0;
    for (size_t j = 0; j < m->count; j++)
        total += model_matches(m, &all, j);
    assert_int_equal(sum, total);
}

static void
compare_with_a_plain_array(struct temp_db *t, bool has_falls)
{
    dice_begin(__func__);
    static struct model m;
    m = (struct model){.t = t};
    add_players(m.t);
    while (m.count < SENT_MAX - 40)
        send_batch(&m);
    temp_db_exec(t, "BEGIN");
    spread_times(&m, has_falls);
    temp_db_exec(t, "COMMIT");
    if (has_falls)
        assert_in_range(temp_db_number(t, "SELECT count(*) FROM event_fall"), 3, 30);
    for (size_t i = 0; i < dice_rounds(400); i++) {
        struct event_filter f = {.player_id = (int64_t)dice_below(5), /* 4: nobody's */
                                 .since = INT64_MIN,
                                 .until = INT64_MAX,
                                 .limit = 1 + dice_below(120)};
        if (dice_below(2)) /* one beyond those that there are */
            f.type = type_name(&m, (unsigned)dice_below(MODEL_TYPES + 1));
        if (dice_below(3) == 0)
            f.since = 990 + (int64_t)dice_below(14000);
        if (dice_below(3) == 0)
            f.until = 990 + (int64_t)dice_below(14000);
        if (dice_below(2))
            f.before_id = 1 + (int64_t)dice_below(m.count + 2);
        compare_list(&m, &f);
    }
    for (int64_t player_id = 0; player_id < 5; player_id++)
        compare_stats(&m, player_id);
    dice_end();
}

static void
lists_and_statistics_are_those_of_a_plain_array(void **state)
{
    compare_with_a_plain_array(*state, false);
}

static void
lists_are_right_where_the_time_of_the_server_falls(void **state)
{
    compare_with_a_plain_array(*state, true);
}

static void
ids_that_were_cut_off_at_the_old_end_leave_lists_and_times_right(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    add_players(t);
    for (int i = 0; i < 100; i++)
        add_own(t, 1, STR(EVENT_EARN), 1000 + i);
    temp_db_exec(t, "DELETE FROM event WHERE id <= 60 OR id BETWEEN 70 AND 79");
    int64_t id = first_at(t, 1074); /* that of 75, which is gone */
    assert_true(id > 69 && id <= 80);
    struct event *events;
    size_t count;
    struct event_filter f = {1, {0}, 1060, 1080, 0, 1000};
    assert_true(event_list(&t->arena, t->db, &f, &events, &count, &err));
    assert_int_equal(count, 10);
    assert_int_equal(events[0].id, 80);
    assert_int_equal(events[9].id, 61);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(an_event_of_the_service_is_counted_for_its_player_and_for_all),
        DB_TEST(the_time_of_the_server_never_falls_as_ids_grow),
        DB_TEST(a_resend_is_a_duplicate_whatever_else_it_says),
        DB_TEST(types_beyond_the_limit_are_refused_alone_and_own_types_do_not_count),
        DB_TEST(a_player_brings_so_many_types_and_sends_those_of_others),
        DB_TEST(the_types_of_one_batch_count_too),
        DB_TEST(a_player_who_is_gone_stores_nothing),
        DB_TEST(lists_and_statistics_are_those_of_a_plain_array),
        DB_TEST(lists_are_right_where_the_time_of_the_server_falls),
        DB_TEST(ids_that_were_cut_off_at_the_old_end_leave_lists_and_times_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
