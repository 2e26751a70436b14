/* Events: what is stored of them, what is counted, and what a list shows. */
#include "temp_db.h"

#include "players/event.h"

static int64_t
number(struct temp_db *t, const char *sql)
{
    sqlite3_stmt *s;
    if (sqlite3_prepare_v2(db_handle(t->db), sql, -1, &s, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db_handle(t->db)));
    int rc = sqlite3_step(s);
    int64_t v = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : INT64_MIN;
    sqlite3_finalize(s);
    return v;
}

static void
make_players(struct temp_db *t)
{
    temp_db_exec(t, "INSERT INTO player (username, username_folded, password_hash, created_at)"
                    " VALUES ('ann', 'ann', 'x', 1), ('ben', 'ben', 'x', 1)");
}

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

static void
an_event_of_the_service_is_stored_and_counted_for_its_player_and_for_all(void **state)
{
    struct temp_db *t = *state;
    make_players(t);
    assert_int_equal(add_own(t, 1, STR(EVENT_EARN), 1000), 1);
    assert_int_equal(add_own(t, 2, STR(EVENT_EARN), 1001), 2);
    assert_int_equal(add_own(t, 0, STR(EVENT_DEEPLINK), 1002), 3);
    assert_int_equal(number(t, "SELECT count(*) FROM event WHERE player_id IS NULL"), 1);
    assert_int_equal(number(t, "SELECT event_count FROM event_type WHERE name = 'earn'"), 2);
    assert_int_equal(number(t, "SELECT sum(event_count) FROM player_event_count"), 2);
}

static void
the_time_of_the_server_never_falls_as_ids_grow(void **state)
{
    struct temp_db *t = *state;
    make_players(t);
    add_own(t, 1, STR(EVENT_EARN), 5000);
    add_own(t, 1, STR(EVENT_SPEND), 4000); /* the clock was set back */
    add_own(t, 1, STR(EVENT_SPEND), 6000);
    assert_int_equal(number(t, "SELECT server_at FROM event WHERE id = 2"), 5000);
    assert_int_equal(number(t, "SELECT server_at FROM event WHERE id = 3"), 6000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(an_event_of_the_service_is_stored_and_counted_for_its_player_and_for_all),
        DB_TEST(the_time_of_the_server_never_falls_as_ids_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
