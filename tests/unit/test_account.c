/* Accounts: who gets in, who does not, what that costs, and what a leaving player takes along.
 */
#include "temp_db.h"

#include "players/account_operations.h"

#include <string.h>

static const struct operation *const PLAYER_OPERATIONS[] = {ACCOUNT_OPERATIONS,
                                                            SESSION_OPERATIONS};

/* Each test's own; the slots are as few as the test says. */
struct world {
    struct config config;
    struct password_hasher hasher;
    struct account_service service;
    struct writer *writer;
};

static void
close_world(struct world *w)
{
    writer_close(&w->writer);
    password_close(&w->hasher);
}
#define scoped_world SCOPED(close_world) struct world

static struct world *
open_world(struct temp_db *t, struct world *w)
{
    struct err err = {0};
    w->writer = writer_open_local(t->db, PLAYER_OPERATIONS, COUNT_OF(PLAYER_OPERATIONS));
    if (!config_load(&t->arena, NULL, &w->config, &err))
        fail_msg("%s", err.detail);
    w->config.data_dir = str_from(((struct temp_dir *)t->dir)->path);
    w->config.players_login_failures = 3;
    if (!fs_make_dirs(temp_path(t->dir, "run"), &err) ||
        !password_open(&w->config, &w->hasher, &err))
        fail_msg("%s", err.detail);
    w->service = (struct account_service){&w->config, t->db, w->writer, &w->hasher};
    return w;
}

static const char *
log_in_from(struct temp_db *t, struct world *w, const char *name, const char *password,
            const char *address, struct account_login *out)
{
    static struct err err;
    err = (struct err){0};
    if (account_log_in(&t->arena, &w->service, str_from(name), str_from(password),
                       str_from(address), out, &err))
        return "";
    return err_code(&err);
}

/* The code it was refused with; "" when it was not. */
static const char *
log_in(struct temp_db *t, struct world *w, const char *name, const char *password,
       struct account_login *out)
{
    return log_in_from(t, w, name, password, "192.0.2.1", out);
}

static const char *
enrol(struct temp_db *t, struct world *w, const char *name, struct account_login *out)
{
    static struct err err;
    err = (struct err){0};
    if (account_register(&t->arena, &w->service, str_from(name), STR("correct horse"), out,
                         &err))
        return "";
    return err_code(&err);
}

static bool
is_session_good(struct temp_db *t, const struct account_login *login)
{
    struct err err = {0};
    return session_check(t->db, str_from(login->grant.id), login->account.id,
                         login->account.created_at + 1000, &err);
}

static void
a_player_registers_once_in_any_case(void **state)
{
    struct temp_db *t = *state;
    scoped_world w;
    struct account_login login, other;
    assert_string_equal(enrol(t, open_world(t, &w), "Ann.B-1", &login), "");
    assert_true(login.is_new && login.account.id == login.grant.player_id);
    assert_true(str_eq(login.account.username, STR("Ann.B-1")) && login.account.balance == 0);
    assert_true(is_session_good(t, &login));
    assert_string_equal(enrol(t, &w, "aNN.b-1", &other), "username_taken");
    /* The second one was told so without a hash. */
    assert_int_equal(w.hasher.hash_count, 1);
}

static void
a_player_logs_in_in_any_case(void **state)
{
    struct temp_db *t = *state;
    scoped_world w;
    struct account_login first, second;
    assert_string_equal(enrol(t, open_world(t, &w), "Ann", &first), "");
    assert_string_equal(log_in(t, &w, "aNN", "correct horse", &second), "");
    assert_false(second.is_new);
    assert_int_equal(second.account.id, first.account.id);
    assert_true(str_eq(second.account.username, STR("Ann")));
    assert_string_not_equal(second.grant.id, first.grant.id);
    assert_true(is_session_good(t, &first) && is_session_good(t, &second));
    assert_string_equal(log_in(t, &w, "Ann", "Correct horse", &second), "login_failed");
}

static void
a_new_name_registers_by_logging_in(void **state)
{
    struct temp_db *t = *state;
    scoped_world w;
    struct account_login login;
    assert_string_equal(log_in(t, open_world(t, &w), "ann", "correct horse", &login), "");
    assert_true(login.is_new && is_session_good(t, &login));
}

static void
unknown_and_wrong_are_one_answer_for_one_hash(void **state)
{
    struct temp_db *t = *state;
    scoped_world w;
    struct account_login login;
    assert_string_equal(enrol(t, open_world(t, &w), "ann", &login), "");
    w.config.players_login_registers = false;
    struct err wrong = {0}, unknown = {0};
    uint64_t before = w.hasher.hash_count;
    assert_false(account_log_in(&t->arena, &w.service, STR("ann"), STR("wrong horse"),
                                STR("192.0.2.1"), &login, &wrong));
    uint64_t between = w.hasher.hash_count;
    assert_false(account_log_in(&t->arena, &w.service, STR("bob"), STR("wrong horse"),
                                STR("192.0.2.1"), &login, &unknown));
    assert_int_equal(between - before, 1);
    assert_int_equal(w.hasher.hash_count - between, 1);
    assert_string_equal(err_code(&wrong), "login_failed");
    assert_memory_equal(&wrong, &unknown, sizeof(wrong));
}

static void
names_and_passwords_of_the_wrong_form_cost_no_hash(void **state)
{
    struct temp_db *t = *state;
    scoped_world w;
    struct account_login login;
    open_world(t, &w);
    static const char *const NAMES[] = {
        "",
        "ab",
        "a b c",
        "an\xc3\xa9",
        "a/bc",
        "a\nbc",
        "ann'--x",
        "a1234567890123456789012345678901234567890123456789012345678"
        "901234"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        assert_string_equal(enrol(t, &w, NAMES[i], &login), "bad_username");
        assert_string_equal(log_in(t, &w, NAMES[i], "correct horse", &login), "bad_username");
    }
    assert_string_equal(log_in(t, &w, "ann", "1234567", &login), "bad_password");
    assert_int_equal(w.hasher.hash_count, 0);
    assert_string_equal(enrol(t, &w, "_.-", &login), "");
}

static void
too_many_failures_lock_out_the_right_password_too(void **state)
{
    struct temp_db *t = *state;
    scoped_world w;
    struct account_login login;
    assert_string_equal(enrol(t, open_world(t, &w), "ann", &login), "");
    for (int i = 0; i < 3; i++)
        assert_string_equal(log_in(t, &w, "ann", "wrong horse", &login), "login_failed");
    uint64_t before = w.hasher.hash_count;
    assert_string_equal(log_in(t, &w, "ann", "correct horse", &login), "login_throttled");
    assert_int_equal(w.hasher.hash_count, before);
    assert_string_equal(log_in_from(t, &w, "ann", "correct horse", "192.0.2.2", &login), "");
}

static void
the_right_password_forgives_the_failures_before(void **state)
{
    struct temp_db *t = *state;
    scoped_world w;
    struct account_login login;
    assert_string_equal(enrol(t, open_world(t, &w), "ann", &login), "");
    for (int i = 0; i < 6; i++) {
        if (i % 2 == 0)
            assert_string_equal(log_in(t, &w, "ann", "correct horse", &login), "");
        assert_string_equal(log_in(t, &w, "ann", "wrong horse", &login), "login_failed");
    }
}

static const char *
change(struct temp_db *t, struct world *w, const struct account_login *login,
       const char *old_password, const char *new_password)
{
    static struct err err;
    err = (struct err){0};
    if (account_change_password(&t->arena, &w->service, login->account.id,
                                str_from(login->grant.id), str_from(old_password),
                                str_from(new_password), STR("192.0.2.1"), &err))
        return "";
    return err_code(&err);
}

static void
a_new_password_ends_the_other_sessions(void **state)
{
    struct temp_db *t = *state;
    scoped_world w;
    struct account_login here, there, later;
    assert_string_equal(enrol(t, open_world(t, &w), "ann", &here), "");
    assert_string_equal(log_in(t, &w, "ann", "correct horse", &there), "");
    assert_string_equal(change(t, &w, &here, "correct horse", "battery staple"), "");
    assert_true(is_session_good(t, &here));
    assert_false(is_session_good(t, &there));
    assert_string_equal(log_in(t, &w, "ann", "correct horse", &later), "login_failed");
    assert_string_equal(log_in(t, &w, "ann", "battery staple", &later), "");
}

static void
a_right_old_password_forgives_the_failures_before(void **state)
{
    struct temp_db *t = *state;
    scoped_world w;
    struct account_login login;
    assert_string_equal(enrol(t, open_world(t, &w), "ann", &login), "");
    for (int i = 0; i < 2; i++)
        assert_string_equal(log_in(t, &w, "ann", "wrong horse", &login), "login_failed");
    assert_string_equal(change(t, &w, &login, "correct horse", "battery staple"), "");
    assert_string_equal(log_in(t, &w, "ann", "wrong horse", &login), "login_failed");
    assert_string_equal(log_in(t, &w, "ann", "battery staple", &login), "");
}

static void
a_wrong_old_password_counts_as_a_failed_login(void **state)
{
    struct temp_db *t = *state;
    scoped_world w;
    struct account_login login;
    assert_string_equal(enrol(t, open_world(t, &w), "ann", &login), "");
    assert_string_equal(change(t, &w, &login, "correct horse", "short"), "bad_password");
    for (int i = 0; i < 3; i++)
        assert_string_equal(change(t, &w, &login, "wrong horse", "battery staple"),
                            "login_failed");
    assert_string_equal(change(t, &w, &login, "correct horse", "battery staple"),
                        "login_throttled");
    assert_string_equal(log_in(t, &w, "Ann", "correct horse", &login), "login_throttled");
}

/* By the session of `login`; `password` NULL: none given. */
static const char *
leave(struct temp_db *t, struct world *w, const struct account_login *login,
      const char *password)
{
    static struct err err;
    err = (struct err){0};
    if (account_delete(&t->arena, &w->service, login->account.id, str_from(login->grant.id),
                       password ? str_from(password) : (struct str){NULL, 0}, STR("192.0.2.1"),
                       &err))
        return "";
    return err_code(&err);
}

static void
who_leaves_gives_the_password_or_has_come_in_of_late(void **state)
{
    struct temp_db *t = *state;
    scoped_world w;
    struct account_login ann, bob, old;
    assert_string_equal(enrol(t, open_world(t, &w), "ann", &ann), "");
    assert_string_equal(enrol(t, &w, "bob", &bob), "");
    /* Whatever the age of the login, a password that is given has to be right. */
    assert_string_equal(leave(t, &w, &ann, "wrong horse"), "login_failed");
    assert_string_equal(leave(t, &w, &ann, ""), "login_failed");
    temp_db_exec(t, "UPDATE session SET began_at = began_at - 299000");
    assert_string_equal(leave(t, &w, &bob, NULL), "");
    temp_db_exec(t, "UPDATE session SET began_at = began_at - 1000");
    assert_string_equal(leave(t, &w, &ann, NULL), "password_required");
    /* The use of a refresh token is no login. */
    struct session_grant again;
    struct token_secrets secrets = {.current = STR("a secret")};
    struct err err = {0};
    assert_true(session_refresh(w.writer, &w.config, &secrets,
                                str_from(ann.grant.refresh_token), &again, &err));
    assert_string_equal(leave(t, &w, &ann, NULL), "password_required");
    assert_string_equal(log_in(t, &w, "ann", "correct horse", &old), "");
    temp_db_exec(t, "UPDATE session SET began_at = began_at + 1000000000");
    assert_string_equal(leave(t, &w, &old, NULL), "password_required");
    assert_string_equal(leave(t, &w, &old, "correct horse"), "");
    assert_false(is_session_good(t, &ann));
}

static void
who_guesses_the_password_to_delete_an_account_is_throttled(void **state)
{
    struct temp_db *t = *state;
    scoped_world w;
    struct account_login login, other;
    assert_string_equal(enrol(t, open_world(t, &w), "ann", &login), "");
    for (int i = 0; i < 3; i++)
        assert_string_equal(leave(t, &w, &login, "wrong horse"), "login_failed");
    assert_string_equal(leave(t, &w, &login, "correct horse"), "login_throttled");
    assert_string_equal(log_in(t, &w, "ann", "correct horse", &other), "login_throttled");
    assert_true(is_session_good(t, &login));
}

static void
a_player_who_left_is_gone_and_the_name_is_free(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    scoped_world w;
    struct account_login old, second, new;
    struct account account;
    assert_string_equal(enrol(t, open_world(t, &w), "ann", &old), "");
    assert_string_equal(log_in(t, &w, "ann", "correct horse", &second), "");
    assert_true(is_session_good(t, &old) && is_session_good(t, &second));
    assert_string_equal(leave(t, &w, &old, NULL), "");
    assert_false(is_session_good(t, &old) || is_session_good(t, &second));
    assert_false(account_get(&t->arena, t->db, old.account.id, &account, &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_string_equal(leave(t, &w, &old, NULL), "not_found");
    assert_string_equal(enrol(t, &w, "ann", &new), "");
    assert_int_not_equal(new.account.id, old.account.id);
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM player WHERE username = ''"
                                       " AND password_hash = '' AND deleted_at > 0"),
                     1);
}

static void
who_leaves_is_forgotten_among_the_failed_logins(void **state)
{
    struct temp_db *t = *state;
    scoped_world w;
    struct account_login ann, other;
    assert_string_equal(enrol(t, open_world(t, &w), "Ann", &ann), "");
    assert_string_equal(enrol(t, &w, "Ann-", &other), "");
    assert_string_equal(log_in(t, &w, "Ann", "wrong horse", &ann), "login_failed");
    assert_string_equal(log_in(t, &w, "Ann-", "wrong horse", &other), "login_failed");
    assert_string_equal(leave(t, &w, &ann, "correct horse"), "");
    assert_int_equal(
        temp_db_number(t, "SELECT count(*) FROM login_failure WHERE subject IN"
                          " ('account:ann-', 'both:ann- 192.0.2.1', 'address:192.0.2.1')"),
        3);
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM login_failure"), 3);
}

/* Both have found the name free, or the password right, when the other is quicker. */
static void
what_changes_during_the_hash_is_seen_by_the_writer(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    scoped_world w;
    struct account_login login;
    assert_string_equal(enrol(t, open_world(t, &w), "ann", &login), "");
    struct account account;
    struct account_change change = {.username = STR("ANN"),
                                    .hash = STR("$argon2id$"),
                                    .session_id = STR("0123456789abcdef0123456789abcdef"),
                                    .refresh_hash = STR("0123456789abcdef0123456789abcdef"),
                                    .session_lifetime_ms = 1000};
    assert_false(
        writer_call(w.writer, &ACCOUNT_OPERATIONS[ACCOUNT_REGISTER], &change, &account, &err));
    assert_string_equal(err_code(&err), "username_taken");

    change.player_id = login.account.id;
    change.hash = STR("the hash of before");
    change.failures.subjects[THROTTLE_BOTH] = STR("both:ann 192.0.2.1");
    assert_false(
        writer_call(w.writer, &ACCOUNT_OPERATIONS[ACCOUNT_LOG_IN], &change, &account, &err));
    assert_string_equal(err_code(&err), "login_failed");

    assert_false(
        writer_call(w.writer, &ACCOUNT_OPERATIONS[ACCOUNT_DELETE], &change, NULL, &err));
    assert_string_equal(err_code(&err), "login_failed");
    assert_true(is_session_good(t, &login));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(a_player_registers_once_in_any_case),
        DB_TEST(a_player_logs_in_in_any_case),
        DB_TEST(a_new_name_registers_by_logging_in),
        DB_TEST(unknown_and_wrong_are_one_answer_for_one_hash),
        DB_TEST(names_and_passwords_of_the_wrong_form_cost_no_hash),
        DB_TEST(too_many_failures_lock_out_the_right_password_too),
        DB_TEST(the_right_password_forgives_the_failures_before),
        DB_TEST(a_new_password_ends_the_other_sessions),
        DB_TEST(a_right_old_password_forgives_the_failures_before),
        DB_TEST(a_wrong_old_password_counts_as_a_failed_login),
        DB_TEST(who_leaves_gives_the_password_or_has_come_in_of_late),
        DB_TEST(who_guesses_the_password_to_delete_an_account_is_throttled),
        DB_TEST(a_player_who_left_is_gone_and_the_name_is_free),
        DB_TEST(who_leaves_is_forgotten_among_the_failed_logins),
        DB_TEST(what_changes_during_the_hash_is_seen_by_the_writer),
    };
    return cmocka_run_group_tests_name("account", tests, NULL, NULL);
}
