/* Sessions and their refresh tokens: what ends one, and what is swept after it. */
#include "temp_db.h"

#include "base/clock.h"
#include "players/session.h"

#include <inttypes.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)

static const struct operation *const OPERATIONS[] = {SESSION_OPERATIONS};

/* A session of player 1 that begins `age_ms` ago and ends `lifetime_ms` after that. */
static struct session_grant
begin_earlier(struct temp_db *t, int64_t age_ms, int64_t lifetime_ms)
{
    struct err err = {0};
    struct session_grant grant;
    unsigned char hash[SHA256_BYTES];
    session_make_grant(&grant);
    grant.player_id = 1;
    assert_int_equal(strlen(grant.id), TOKEN_SESSION_DIGITS);
    assert_int_equal(strlen(grant.refresh_token), SESSION_REFRESH_BYTES);
    assert_true(session_begin_in(t->db, 1, str_from(grant.id),
                                 session_refresh_hash(str_from(grant.refresh_token), hash),
                                 clock_now_ms() - age_ms, lifetime_ms, &err));
    return grant;
}

static struct session_grant
begin(struct temp_db *t, int64_t lifetime_ms)
{
    return begin_earlier(t, 0, lifetime_ms);
}

/* The grace of most tests is none: what it changes is tried below. */
static struct config config = {.players_refresh_lifetime = HOUR_MS};
static const struct token_secrets OLD = {STR_INIT("an old secret"), {"", 0}},
                                  BOTH = {STR_INIT("a new secret"), STR_INIT("an old secret")},
                                  NEW = {STR_INIT("a new secret"), {"", 0}};

static struct session_grant
refresh_with(struct temp_db *t, const struct session_grant *shown,
             const struct token_secrets *secrets)
{
    struct err err = {0};
    struct session_grant got;
    if (!session_refresh(t->writer, &config, secrets, str_from(shown->refresh_token), &got,
                         &err))
        fail_msg("%s", err.detail);
    assert_string_equal(got.id, shown->id);
    assert_int_equal(got.player_id, 1);
    assert_int_equal(strlen(got.refresh_token), SESSION_REFRESH_BYTES);
    return got;
}

static struct session_grant
refresh(struct temp_db *t, const struct session_grant *shown)
{
    return refresh_with(t, shown, &NEW);
}

static void
assert_refresh_refused(struct temp_db *t, const struct session_grant *shown, const char *code)
{
    struct err err = {0};
    struct session_grant got;
    assert_false(
        session_refresh(t->writer, &config, &NEW, str_from(shown->refresh_token), &got, &err));
    assert_int_equal(err.kind, ERR_UNAUTHORIZED);
    assert_string_equal(err_code(&err), code);
}

static bool
is_good_at(struct temp_db *t, const struct session_grant *grant, int64_t player_id,
           int64_t now_ms)
{
    struct err err = {0};
    if (session_check(t->db, str_from(grant->id), player_id, now_ms, &err))
        return true;
    assert_string_equal(err_code(&err), "token_revoked");
    return false;
}

static bool
is_good(struct temp_db *t, const struct session_grant *grant)
{
    return is_good_at(t, grant, 1, clock_now_ms());
}

static void
a_session_is_good_for_its_player_and_its_time(void **state)
{
    struct temp_db *t = *state;
    int64_t now_ms = clock_now_ms();
    struct session_grant grant = begin(t, HOUR_MS), other = begin(t, HOUR_MS);
    assert_true(is_good(t, &grant));
    assert_false(is_good_at(t, &grant, 2, now_ms));
    assert_false(is_good_at(t, &grant, 1, now_ms + 2 * HOUR_MS));
    struct err err = {0};
    assert_true(session_revoke(t->writer, str_from(grant.id), &err));
    assert_true(session_revoke(t->writer, str_from(grant.id), &err));
    assert_false(is_good(t, &grant));
    assert_refresh_refused(t, &grant, "refresh_invalid");
    assert_true(is_good(t, &other));
}

static void
the_others_are_ended_and_one_is_kept(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct session_grant grants[3];
    for (size_t i = 0; i < COUNT_OF(grants); i++)
        grants[i] = begin(t, HOUR_MS);
    int64_t now_ms = clock_now_ms();
    assert_true(session_revoke_others_in(t->db, 2, STR(""), now_ms, &err));
    assert_true(is_good(t, &grants[0]) && is_good(t, &grants[2]));
    assert_true(session_revoke_others_in(t->db, 1, str_from(grants[1].id), now_ms, &err));
    assert_false(is_good(t, &grants[0]) || is_good(t, &grants[2]));
    assert_true(is_good(t, &grants[1]));
    assert_true(session_revoke_others_in(t->db, 1, STR(""), now_ms, &err));
    assert_false(is_good(t, &grants[1]));
}

static void
any_used_refresh_token_ends_the_session_for_good(void **state)
{
    struct temp_db *t = *state;
    for (int shown = 0; shown < 3; shown++) {
        struct session_grant chain[4] = {begin(t, HOUR_MS)};
        for (size_t i = 1; i < COUNT_OF(chain); i++)
            chain[i] = refresh(t, &chain[i - 1]);
        assert_true(is_good(t, &chain[3]));
        assert_refresh_refused(t, &chain[shown], "refresh_reused");
        assert_false(is_good(t, &chain[3]));
        assert_refresh_refused(t, &chain[3], "refresh_invalid");
        assert_refresh_refused(t, &chain[shown], "refresh_reused");
    }
    /* Only hashes are kept. */
    assert_int_equal(
        temp_db_number(t, "SELECT count(*) FROM session WHERE instr(refresh_hash, 'pmr_')"), 0);
}

/* As if `ms` had passed since each refresh. */
static void
wait_ms(struct temp_db *t, int64_t ms)
{
    temp_db_exec(t, arena_printf(&t->arena,
                                 "UPDATE session_used_refresh SET used_at = used_at - %" PRId64,
                                 ms)
                        .p);
}

static void
within_the_grace_a_used_refresh_token_gives_its_successor_again(void **state)
{
    struct temp_db *t = *state;
    config.players_refresh_grace = 30000;
    struct session_grant first = begin(t, HOUR_MS), second = refresh(t, &first);
    assert_string_equal(refresh(t, &first).refresh_token, second.refresh_token);
    int64_t ends = temp_db_number(t, "SELECT expires_at FROM session");
    wait_ms(t, 29000);
    assert_string_equal(refresh(t, &first).refresh_token, second.refresh_token);
    /* A repeat is nothing new: neither does it make another token nor does it move an end. */
    assert_int_equal(temp_db_number(t, "SELECT expires_at FROM session"), ends);
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM session_used_refresh"), 1);
    struct session_grant third = refresh(t, &second);
    assert_string_not_equal(third.refresh_token, second.refresh_token);
    assert_string_equal(refresh(t, &first).refresh_token, second.refresh_token);
    assert_string_equal(refresh(t, &second).refresh_token, third.refresh_token);
    wait_ms(t, 1000);
    assert_true(is_good(t, &third));
    assert_refresh_refused(t, &first, "refresh_reused");
    assert_false(is_good(t, &third));
    /* Nor is there a successor in an ended login. */
    assert_refresh_refused(t, &second, "refresh_invalid");
    config.players_refresh_grace = 0;
}

static void
the_grace_opens_no_login_that_has_ended(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    config.players_refresh_grace = 30000;
    struct session_grant first = begin(t, HOUR_MS), late = begin(t, HOUR_MS);
    refresh(t, &first);
    refresh(t, &late);
    assert_true(session_revoke(t->writer, str_from(first.id), &err));
    assert_refresh_refused(t, &first, "refresh_invalid");
    temp_db_exec(t, "UPDATE session SET expires_at = 1");
    assert_refresh_refused(t, &late, "refresh_expired");
    config.players_refresh_grace = 0;
}

/* A used token that seems to be from a future far away has no grace: else it would have one
 * again and again. */
static void
a_clock_put_back_by_little_keeps_the_grace(void **state)
{
    struct temp_db *t = *state;
    config.players_refresh_grace = 30000;
    struct session_grant first = begin(t, HOUR_MS), second = refresh(t, &first);
    wait_ms(t, -20000);
    assert_string_equal(refresh(t, &first).refresh_token, second.refresh_token);
    wait_ms(t, -20000);
    assert_refresh_refused(t, &first, "refresh_reused");
    config.players_refresh_grace = 0;
}

static void
the_grace_lasts_while_the_secret_is_replaced(void **state)
{
    struct temp_db *t = *state;
    config.players_refresh_grace = 30000;
    struct session_grant first = begin(t, HOUR_MS), second = refresh_with(t, &first, &OLD);
    assert_string_equal(refresh_with(t, &first, &BOTH).refresh_token, second.refresh_token);
    struct session_grant third = refresh_with(t, &second, &BOTH);
    assert_string_equal(refresh_with(t, &second, &NEW).refresh_token, third.refresh_token);
    /* With the old secret gone nobody can tell what was given, and nobody stole it. */
    assert_refresh_refused(t, &first, "refresh_invalid");
    assert_true(is_good(t, &third));
    assert_string_not_equal(refresh(t, &third).refresh_token, third.refresh_token);
    config.players_refresh_grace = 0;
}

static void
a_refresh_moves_the_end_and_comes_too_late_after_it(void **state)
{
    struct temp_db *t = *state;
    struct session_grant first = begin(t, HOUR_MS / 2), late = begin(t, 0);
    /* No sweep comes between: it says what it was. */
    assert_refresh_refused(t, &late, "refresh_expired");
    int64_t before = temp_db_number(t, "SELECT max(expires_at) FROM session");
    struct session_grant second = refresh(t, &first);
    assert_in_range(temp_db_number(t, "SELECT max(expires_at) FROM session") - before,
                    HOUR_MS / 2, HOUR_MS);
    assert_true(is_good_at(t, &second, 1, clock_now_ms() + HOUR_MS - 60000));
    struct session_grant none;
    session_make_grant(&none);
    assert_refresh_refused(t, &none, "refresh_invalid");
}

/* A few with each new one, so that nobody waits for the removal of a heap, and more than were
 * added, so that the heap shrinks. */
static void
what_has_ended_is_swept_little_by_little(void **state)
{
    struct temp_db *t = *state;
    begin(t, HOUR_MS);
    temp_db_exec(
        t, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20)"
           " INSERT INTO session (id, player_id, refresh_hash, used_at, expires_at)"
           " SELECT printf('%032x', i), 1, CAST(printf('%032x', i) AS BLOB), 1, i FROM n");
    temp_db_exec(
        t, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20)"
           " INSERT INTO session_used_refresh (refresh_hash, session_id, used_at, expires_at)"
           " SELECT CAST(printf('used%028x', i) AS BLOB), printf('%032x', i % 2 + 1), 1, 1 "
           "FROM n");
    begin(t, HOUR_MS);
    /* The two that have used tokens left wait; six of the first eight go. */
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM session_used_refresh"), 12);
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM session WHERE expires_at < 100"),
                     14);
    struct session_grant last = begin(t, HOUR_MS);
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM session_used_refresh"), 4);
    for (int i = 0; i < 4; i++)
        last = refresh(t, &last);
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM session WHERE expires_at < 100"),
                     0);
    /* Those of a session that lives stay until they would have expired. */
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM session_used_refresh"), 4);
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM session"), 3);
}

/* What was ended goes before what is good, and what was refreshed lately stays. */
static void
of_one_player_the_sessions_used_last_stay(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct session_grant old[3] = {begin_earlier(t, 3000, HOUR_MS),
                                   begin_earlier(t, 2000, HOUR_MS),
                                   begin_earlier(t, 1000, HOUR_MS)};
    struct session_grant used = refresh(t, &old[0]), last = used;
    assert_true(session_revoke(t->writer, str_from(old[2].id), &err));
    for (int i = 3; i <= SESSION_PLAYER_MAX; i++)
        last = begin(t, HOUR_MS);
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM session"), SESSION_PLAYER_MAX);
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM session WHERE revoked_at"), 0);
    assert_true(is_good(t, &used) && is_good(t, &old[1]) && is_good(t, &last));
    last = begin(t, HOUR_MS);
    assert_true(is_good(t, &used) && is_good(t, &last));
    assert_false(is_good(t, &old[1]));
    assert_refresh_refused(t, &old[1], "refresh_invalid");
    for (int i = 0; i < SESSION_PLAYER_MAX; i++)
        begin_earlier(t, -1000, HOUR_MS);
    /* Its used refresh token went with it. */
    assert_false(is_good(t, &used));
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM session_used_refresh"), 0);
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM session"), SESSION_PLAYER_MAX);
}

/* Their ends say nothing of their use: those of before are further away. */
static void
a_lower_lifetime_does_not_have_the_newest_sessions_go(void **state)
{
    struct temp_db *t = *state;
    struct session_grant old = begin_earlier(t, 2 * HOUR_MS, 720 * HOUR_MS);
    for (int i = 1; i < SESSION_PLAYER_MAX; i++)
        begin_earlier(t, 3 * HOUR_MS, 720 * HOUR_MS);
    struct session_grant new[2] = {begin(t, HOUR_MS), begin(t, HOUR_MS)};
    assert_true(is_good(t, &old) && is_good(t, &new[0]) && is_good(t, &new[1]));
    for (int i = 2; i < SESSION_PLAYER_MAX; i++)
        begin(t, HOUR_MS);
    assert_true(is_good(t, &new[0]) && is_good(t, &new[1]));
    assert_false(is_good(t, &old));
}

/* Those that were used last, which are not those with the furthest end. */
static void
a_session_remembers_so_many_used_refresh_tokens(void **state)
{
    struct temp_db *t = *state;
    struct session_grant first = begin(t, 2 * HOUR_MS), last = refresh(t, &first);
    temp_db_exec(t, "UPDATE session_used_refresh SET used_at = used_at - 2000");
    temp_db_exec(
        t, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 998)"
           " INSERT INTO session_used_refresh (refresh_hash, session_id, used_at, expires_at)"
           " SELECT CAST(printf('used%028d', i) AS BLOB), id, used_at - 1000, expires_at + i"
           " FROM n, session");
    last = refresh(t, &last);
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM session_used_refresh"),
                     SESSION_USED_MAX);
    struct session_grant newest = refresh(t, &last);
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM session_used_refresh"),
                     SESSION_USED_MAX);
    assert_refresh_refused(t, &first, "refresh_invalid");
    assert_true(is_good(t, &newest));
    assert_refresh_refused(t, &last, "refresh_reused");
}

static int
set_up(void **state)
{
    if (temp_db_set_up(state))
        return -1;
    struct temp_db *t = *state;
    writer_close(&t->writer);
    t->writer = writer_open_local(t->db, OPERATIONS, COUNT_OF(OPERATIONS));
    temp_db_exec(t, "INSERT INTO player (id, username, username_folded, password_hash,"
                    " created_at) VALUES (1, 'Ann', 'ann', 'x', 1), (2, 'Bob', 'bob', 'x', 1)");
    return 0;
}

#define SESSION_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, temp_db_tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(a_session_is_good_for_its_player_and_its_time),
        SESSION_TEST(the_others_are_ended_and_one_is_kept),
        SESSION_TEST(any_used_refresh_token_ends_the_session_for_good),
        SESSION_TEST(within_the_grace_a_used_refresh_token_gives_its_successor_again),
        SESSION_TEST(the_grace_opens_no_login_that_has_ended),
        SESSION_TEST(a_clock_put_back_by_little_keeps_the_grace),
        SESSION_TEST(the_grace_lasts_while_the_secret_is_replaced),
        SESSION_TEST(a_refresh_moves_the_end_and_comes_too_late_after_it),
        SESSION_TEST(what_has_ended_is_swept_little_by_little),
        SESSION_TEST(of_one_player_the_sessions_used_last_stay),
        SESSION_TEST(a_lower_lifetime_does_not_have_the_newest_sessions_go),
        SESSION_TEST(a_session_remembers_so_many_used_refresh_tokens),
    };
    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
