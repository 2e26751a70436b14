/* Passwords: their form, their hash, how many are hashed at once; and the counts of wrong ones.
 */
#include "temp_db.h"

#include "players/password.h"
#include "players/throttle.h"

#include <string.h>
#include <sys/resource.h>

static void
open_hasher(struct temp_db *t, unsigned per_core, unsigned play_workers,
            struct password_hasher *out)
{
    struct err err = {0};
    struct config config = {.data_dir = str_from(((struct temp_dir *)t->dir)->path),
                            .players_hashes_per_core = per_core,
                            .workers_play = play_workers};
    if (!fs_make_dirs(temp_path(t->dir, "run"), &err) || !password_open(&config, out, &err))
        fail_msg("%s", err.detail);
}

static bool
verify(struct password_hasher *hasher, const char *hash, const char *password)
{
    struct err err = {0};
    bool is_right;
    if (!password_hold(hasher, &err) ||
        !password_verify(hasher, str_from(hash), str_from(password), &is_right, &err))
        fail_msg("%s", err.detail);
    password_release(hasher);
    return is_right;
}

static void
a_password_fits_its_hash_alone(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    SCOPED(password_close) struct password_hasher hasher;
    open_hasher(t, 2, 24, &hasher);
    char hash[PASSWORD_HASH_BYTES_MAX], other[PASSWORD_HASH_BYTES_MAX];
    assert_true(password_hash(&hasher, STR("correct horse"), hash, &err));
    assert_true(password_hash(&hasher, STR("correct horse"), other, &err));
    assert_true(str_starts(str_from(hash), STR("$argon2id$v=19$m=19456,t=2,p=1$")));
    assert_string_not_equal(hash, other);
    assert_true(verify(&hasher, hash, "correct horse"));
    assert_false(verify(&hasher, hash, "correct horsf"));
    assert_false(verify(&hasher, hash, ""));
    assert_false(verify(&hasher, "no hash at all", "correct horse"));
}

static void
nobody_costs_a_hash_as_well(void **state)
{
    struct temp_db *t = *state;
    SCOPED(password_close) struct password_hasher hasher;
    open_hasher(t, 2, 24, &hasher);
    assert_false(verify(&hasher, "", "correct horse"));
    assert_int_equal(hasher.hash_count, 1);
    /* The same parameters, so the same work. */
    struct err err = {0};
    char hash[PASSWORD_HASH_BYTES_MAX];
    assert_true(password_hash(&hasher, STR("correct horse"), hash, &err));
    struct str salt = STR("kzdiLwKdjEX3553ahPadvg");
    struct str nobody = STR(PASSWORD_OF_NOBODY);
    size_t parameters = (size_t)str_find(nobody, salt);
    assert_memory_equal(hash, nobody.p, parameters);
    assert_int_equal(strlen(hash), nobody.n);
}

#ifndef PLAYMETER_SANITIZED /* whose own maps are beyond any limit */
static void
without_memory_no_password_is_wrong(void **state)
{
    struct temp_db *t = *state;
    struct err hash_err = {0}, verify_err = {0};
    SCOPED(password_close) struct password_hasher hasher;
    open_hasher(t, 2, 24, &hasher);
    char hash[PASSWORD_HASH_BYTES_MAX];
    bool is_right = false;
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    none = before;
    none.rlim_cur = MIB;
    assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
    bool is_hashed = password_hash(&hasher, STR("correct horse"), hash, &hash_err);
    bool is_held = password_hold(&hasher, &verify_err);
    bool is_compared = is_held && password_verify(&hasher, STR(""), STR("correct horse"),
                                                  &is_right, &verify_err);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_true(is_held);
    password_release(&hasher);
    assert_false(is_hashed || is_compared);
    assert_int_equal(hash_err.kind, ERR_BUSY);
    assert_int_equal(verify_err.kind, ERR_BUSY);
}
#endif

static void
one_hash_more_than_the_slots_is_refused_at_once(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    SCOPED(password_close) struct password_hasher one, two, third;
    /* Four play workers: at most two of them hash, however many cores there are. */
    open_hasher(t, 16, 4, &one);
    open_hasher(t, 16, 4, &two);
    open_hasher(t, 16, 4, &third);
    assert_int_equal(one.slots.count, 2);
    assert_true(password_hold(&one, &err));
    assert_true(password_hold(&two, &err));
    char hash[PASSWORD_HASH_BYTES_MAX];
    assert_false(password_hash(&third, STR("correct horse"), hash, &err));
    assert_int_equal(err.kind, ERR_BUSY);
    assert_string_equal(err_code(&err), "hashing_busy");
    assert_false(password_hold(&third, &err));
    assert_string_equal(err_code(&err), "hashing_busy");
    assert_int_equal(third.hash_count, 0);
    password_release(&one);
    assert_true(password_hash(&third, STR("correct horse"), hash, &err));
    password_release(&two);
}

static void
a_slot_is_free_again_once_the_hash_is_made(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    SCOPED(password_close) struct password_hasher one, two;
    open_hasher(t, 1, 2, &one);
    open_hasher(t, 1, 2, &two);
    assert_int_equal(one.slots.count, 1);
    char hash[PASSWORD_HASH_BYTES_MAX];
    assert_true(password_hash(&one, STR("correct horse"), hash, &err));
    assert_true(verify(&two, hash, "correct horse"));
    assert_false(verify(&one, hash, "wrong horse"));
    assert_true(password_hash(&two, STR("correct horse"), hash, &err));
}

static void
a_password_is_counted_in_characters(void **state UNUSED)
{
    struct err err = {0};
    scoped_buf text;
    buf_init(&text, KIB);
    for (int i = 1; i <= PASSWORD_CHARACTERS_MAX + 1; i++) {
        buf_add_lit(&text, "\xf0\x9f\x94\x91");
        bool fits = i >= PASSWORD_CHARACTERS_MIN && i <= PASSWORD_CHARACTERS_MAX;
        assert_int_equal(password_check_form(STR("new_password"), buf_str(&text), &err), fits);
    }
    assert_string_equal(err.name, "new_password");
    assert_string_equal(err.detail, "a password has 8 to 128 characters, got 129");
    assert_false(password_check_form(STR("new_password"), STR(""), &err));
    assert_false(password_check_form(STR("new_password"), STR("12345678\xff"), &err));
    assert_false(password_check_form(STR("new_password"), STR("1234\0005678"), &err));
    assert_true(password_check_form(STR("new_password"), STR("        "), &err));
}

/* Throttle */

#define WINDOW 600000
#define START INT64_C(1700000000001)

static void
note(struct temp_db *t, const char *name, const char *address, int64_t now, int times)
{
    struct err err = {0};
    struct throttle_key key = throttle_make_key(&t->arena, str_from(name), str_from(address));
    for (int i = 0; i < times; i++)
        if (!throttle_note_in(t->db, &key, now, WINDOW, &err))
            fail_msg("%s", err.detail);
}

/* Seconds to wait; 0: none. */
static unsigned
wait_s(struct temp_db *t, const char *name, const char *address, int64_t now)
{
    struct err err = {0};
    struct config config = {.players_login_failures = 3, .players_login_window = WINDOW};
    struct throttle_key key = throttle_make_key(&t->arena, str_from(name), str_from(address));
    if (throttle_check(t->db, &config, &key, now, &err))
        return 0;
    assert_int_equal(err.kind, ERR_TOO_MANY);
    assert_string_equal(err_code(&err), "login_throttled");
    assert_true(err.retry_after_s > 0);
    return err.retry_after_s;
}

#define COUNT "SELECT count(*) FROM login_failure"

static void
an_account_is_throttled_for_the_address_that_fails(void **state)
{
    struct temp_db *t = *state;
    note(t, "Ann", "192.0.2.1", START, 2);
    assert_int_equal(wait_s(t, "ann", "192.0.2.1", START), 0);
    note(t, "aNN", "192.0.2.1", START + 1500, 1);
    assert_int_equal(wait_s(t, "ann", "192.0.2.1", START + 1500), 599);
    assert_int_equal(wait_s(t, "ANN", "192.0.2.1", START + WINDOW - 1), 1);
    assert_int_equal(wait_s(t, "ann", "192.0.2.1", START + WINDOW), 0);
    assert_int_equal(wait_s(t, "ann", "192.0.2.2", START + 1500), 0);
    assert_int_equal(wait_s(t, "bob", "192.0.2.1", START + 1500), 0);
    /* A new window begins: the old failures are forgotten. */
    note(t, "ann", "192.0.2.1", START + WINDOW, 1);
    assert_int_equal(wait_s(t, "ann", "192.0.2.1", START + WINDOW), 0);
}

static void
an_account_is_throttled_that_many_addresses_try(void **state)
{
    struct temp_db *t = *state;
    for (int i = 0; i < 30; i++)
        note(t, "ann", arena_printf(&t->arena, "192.0.2.%d", i).p, START, 1);
    assert_int_equal(wait_s(t, "ann", "198.51.100.1", START), 600);
    assert_int_equal(wait_s(t, "bob", "198.51.100.1", START), 0);
}

static void
an_address_is_throttled_that_tries_many_accounts(void **state)
{
    struct temp_db *t = *state;
    for (int i = 0; i < 30; i++)
        note(t, arena_printf(&t->arena, "name%d", i).p, "192.0.2.1", START, 1);
    assert_int_equal(wait_s(t, "ann", "192.0.2.1", START), 600);
    assert_int_equal(wait_s(t, "ann", "192.0.2.2", START), 0);
}

static void
an_ipv6_customer_is_one_address(void **state)
{
    struct temp_db *t = *state;
    note(t, "ann", "2001:db8:1:2::1", START, 3);
    assert_int_equal(wait_s(t, "ann", "2001:db8:1:2:ffff::9", START), 600);
    assert_int_equal(wait_s(t, "ann", "2001:db8:1:3::1", START), 0);
    /* An IPv4 client of an IPv6 socket is not lumped together with the others. */
    note(t, "bob", "::ffff:192.0.2.1", START, 3);
    assert_int_equal(wait_s(t, "bob", "192.0.2.1", START), 600);
    assert_int_equal(wait_s(t, "bob", "::ffff:192.0.2.2", START), 0);
}

/* Every subject that names an address: a customer changes the last half of one at will. */
static void
an_ipv6_customer_is_throttled_that_tries_many_accounts(void **state)
{
    struct temp_db *t = *state;
    for (int i = 0; i < 30; i++)
        note(t, arena_printf(&t->arena, "name%d", i).p,
             arena_printf(&t->arena, "2001:db8:1:2:%x::%x", i << 11, i).p, START, 1);
    assert_int_equal(wait_s(t, "ann", "2001:db8:1:2:ffff::9", START), 600);
    assert_int_equal(wait_s(t, "ann", "2001:db8:1:3::9", START), 0);
    assert_int_equal(temp_db_number(t, COUNT), 61);
}

static void
the_right_password_clears_account_and_address(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    note(t, "ann", "192.0.2.1", START, 3);
    struct throttle_key key = throttle_make_key(&t->arena, STR("ann"), STR("192.0.2.1"));
    assert_true(throttle_clear_in(t->db, key.subjects[THROTTLE_BOTH], &err));
    assert_int_equal(wait_s(t, "ann", "192.0.2.1", START), 0);
    assert_int_equal(temp_db_number(t, COUNT), 2);
}

static void
a_clock_put_back_locks_nobody_out(void **state)
{
    struct temp_db *t = *state;
    note(t, "ann", "192.0.2.1", START + INT64_C(1000) * WINDOW, 3);
    assert_int_equal(wait_s(t, "ann", "192.0.2.1", START), 0);
    note(t, "ann", "192.0.2.1", START, 3);
    assert_int_equal(wait_s(t, "ann", "192.0.2.1", START), 600);
}

static void
rows_that_are_over_are_swept(void **state)
{
    struct temp_db *t = *state;
    for (int i = 0; i < 20; i++)
        note(t, arena_printf(&t->arena, "name%d", i).p, "192.0.2.1", START, 1);
    assert_int_equal(temp_db_number(t, COUNT), 41);
    for (int i = 0; i < 5; i++)
        note(t, "ann", "192.0.2.9", START + WINDOW, 1);
    assert_int_equal(temp_db_number(t, COUNT), 3);
}

static void
the_table_stays_within_its_bound(void **state)
{
    struct temp_db *t = *state;
    temp_db_exec(t, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                    " LIMIT 100500) INSERT INTO login_failure SELECT 'account:' || i, 3,"
                    " 1700000000000 + i FROM n");
    int64_t now = (START + 200000) / 64 * 64;
    note(t, "ann", "192.0.2.1", now, 1);
    assert_int_equal(temp_db_number(t, COUNT), THROTTLE_ROWS_MAX);
    /* The newest stay. */
    assert_int_equal(wait_s(t, "100500", "192.0.2.7", now), 0);
    note(t, "ann", "192.0.2.1", now, 2);
    assert_true(wait_s(t, "ann", "192.0.2.1", now) > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(a_password_fits_its_hash_alone),
        DB_TEST(nobody_costs_a_hash_as_well),
#ifndef PLAYMETER_SANITIZED
        DB_TEST(without_memory_no_password_is_wrong),
#endif
        DB_TEST(one_hash_more_than_the_slots_is_refused_at_once),
        DB_TEST(a_slot_is_free_again_once_the_hash_is_made),
        cmocka_unit_test(a_password_is_counted_in_characters),
        DB_TEST(an_account_is_throttled_for_the_address_that_fails),
        DB_TEST(an_account_is_throttled_that_many_addresses_try),
        DB_TEST(an_address_is_throttled_that_tries_many_accounts),
        DB_TEST(an_ipv6_customer_is_one_address),
        DB_TEST(an_ipv6_customer_is_throttled_that_tries_many_accounts),
        DB_TEST(the_right_password_clears_account_and_address),
        DB_TEST(a_clock_put_back_locks_nobody_out),
        DB_TEST(rows_that_are_over_are_swept),
        DB_TEST(the_table_stays_within_its_bound),
    };
    return cmocka_run_group_tests_name("password", tests, NULL, NULL);
}
