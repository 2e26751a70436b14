/* Weak passwords against cracklib's dictionary, and what is done without one. */
#include "dice.h"
#include "players/password.h"
#include "players/strength.h"
#include "temp_dir.h"

#include <crack.h>
#include <string.h>

static struct config config = {.players_password_check = true};

/* NULL: it is taken. */
static const char *
reason_for(const char *username, const char *password)
{
    static struct err err;
    err = (struct err){0};
    if (strength_check(&config, STR("new_password"), str_from(username), str_from(password),
                       &err))
        return NULL;
    assert_int_equal(err.kind, ERR_INVALID);
    assert_string_equal(err_code(&err), "weak_password");
    assert_string_equal(err.name, "new_password");
    if (strlen(password) > 8 && strstr(err.detail, password))
        fail_msg("'%s' shows the password", err.detail);
    return err.detail;
}

static void
what_is_guessed_first_is_refused_with_its_reason(void **state UNUSED)
{
    static const struct {
        const char *username, *password, *reason;
    } WEAK[] = {
        {"ann", "password", "common word"},
        {"ann", "PassWord1", "common word"},
        {"ann", "p4ssw0rd", "common word"},
        {"ann", "drowssap", "backwards"},
        {"ann", "understanding", "common word"},
        {"ann", "12345678", "neighbouring characters"},
        {"ann", "abcdefghijkl", "neighbouring characters"},
        {"ann", "123456789-123456789-123456789", "neighbouring characters"},
        {"ann", "1234567800000000", "neighbouring characters"},
        {"ann", "abcdef!Q7z", "neighbouring characters"},
        {"ann", "aaaaaaaaaaaa", "different characters"},
        {"ann", "        ", "different characters"},
        {"ann", "\xd0\x96\xd0\x96\xd0\x96\xd0\x96\xd0\x96\xd0\x96\xd0\x96\xd0\x96",
         "different characters"},
        {"gandalf-77", "gandalf-77", "the username"},
        {"gandalf-77", "GANDALF-77", "the username"},
        {"gandalf-77", "gandalf-7777", "the username"},
        {"gandalf-77", "my gandalf-77", "the username"},
        {"gandalf-77", "gandalf-77gandalf-77", "the username"},
        {"gandalf-77", "77-fladnag", "the username"},
        {"gandalf-77", "gandalf-77password", "common word"},
        {"gandalf-77", "1234gandalf-775678", "neighbouring characters"},
        {"con", "unreconstructed", "common word"},
    };
    for (size_t i = 0; i < COUNT_OF(WEAK); i++) {
        const char *reason = reason_for(WEAK[i].username, WEAK[i].password);
        if (!reason || !strstr(reason, WEAK[i].reason))
            fail_msg("%s, %s: %s", WEAK[i].username, WEAK[i].password,
                     reason ? reason : "taken");
    }
}

static void
a_few_words_are_taken_in_every_script_and_length(void **state UNUSED)
{
    static const struct {
        const char *username, *password;
    } GOOD[] = {
        {"ann", "correct horse"},
        {"ann", "battery staple"},
        {"ann", "annual horse riding"},
        {"horse", "correct horse battery"},
        {"gandalf-77", "gandalf-77 and the grey horse"},
        {"ann", "xK7.pqz9w"},
        /* Neighbours by chance, which cracklib allows in short ones alone. */
        {"ann", "the student of the abbey stood on the first stone of the nest"},
        {"ann", "when the moon is high students defend the open post at noon"},
        {"ann", "\xd0\xb6\xd1\x83\xd0\xba \xd0\xb8 \xd0\xbb\xd0\xb5\xd0\xb2"},
        {"ann", "\xe9\xa6\xac\xe6\xad\xa3\xe9\x9b\xbb\xe6\xb1\xa0\xe9\x87\x98\xe6\xad\xa3\xe7"
                "\xa2\xba\xe9\xa6\xac"},
    };
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        const char *reason = reason_for(GOOD[i].username, GOOD[i].password);
        if (reason)
            fail_msg("%s: %s", GOOD[i].password, reason);
    }
}

/* Every length that a password may have, of every width, and a username of every length. */
static void
lengths_are_no_matter(void **state UNUSED)
{
    static const char *const LETTERS[] = {"x", "\xc3\xb6", "\xe9\xa6\xac", "\xf0\x9f\x94\x91"};
    static const char OTHERS[] = "qJ7w Z3k";
    for (size_t width = 0; width < COUNT_OF(LETTERS); width++)
        for (size_t n = PASSWORD_CHARACTERS_MIN; n <= PASSWORD_CHARACTERS_MAX; n++) {
            scoped_buf password = {.max = KIB}, username = {.max = KIB};
            for (size_t i = 0; i < n; i++)
                if (i % 3 == 0)
                    buf_add(&password, str_from(LETTERS[width]));
                else
                    buf_add_char(&password, OTHERS[i % strlen(OTHERS)]);
            for (size_t i = 0; i < 3 + n / 3; i++)
                buf_add_char(&username, 'u');
            buf_add_char(&password, '\0');
            buf_add_char(&username, '\0');
            const char *reason = reason_for(username.p, password.p);
            if (reason)
                fail_msg("%s, %s: %s", username.p, password.p, reason);
        }
}

static void
a_missing_dictionary_is_found_before_it_is_needed(void **state)
{
    struct temp_dir *dir = *state;
    struct err err = {0};
    struct config none = config;
    assert_true(strength_check_dictionary(&none, &err));
    none.players_password_dictionary = str_from(temp_path(dir, "none"));
    assert_false(strength_check_dictionary(&none, &err));
    assert_non_null(strstr(err.detail, "none.pwd: no such file"));
    assert_non_null(strstr(err.detail, "cracklib-runtime"));
    assert_non_null(strstr(err.detail, "players.password_check: false"));
    err = (struct err){0};
    /* One that goes while the service runs is no reason to take every password. */
    assert_false(
        strength_check(&none, STR("password"), STR("ann"), STR("correct horse"), &err));
    assert_int_equal(err.kind, ERR_BUSY);
    assert_string_equal(err_code(&err), "password_check_unavailable");
    assert_int_equal(err.retry_after_s, 60);
    assert_null(strstr(err_public_detail(&err), "none"));
    assert_non_null(strstr(err.detail, "none.pwd"));
    err = (struct err){0};
    const char *const ENDINGS[] = {"none.pwd", "none.pwi"};
    for (size_t i = 0; i < COUNT_OF(ENDINGS); i++)
        assert_true(fs_replace_file(AT_FDCWD, temp_path(dir, ENDINGS[i]),
                                    STR("no dictionary at all"), 0600, &err));
    assert_false(strength_check_dictionary(&none, &err));
    assert_non_null(strstr(err.detail, "or no dictionary of cracklib"));
    err = (struct err){0};
    none.players_password_check = false;
    assert_true(strength_check_dictionary(&none, &err));
    assert_true(strength_check(&none, STR("password"), STR("ann"), STR("password"), &err));
    /* Nothing of the tries before is left open. */
    assert_non_null(reason_for("ann", "password"));
}

static const char *const ENDINGS[] = {".pwd", ".pwi", ".hwm"};

/* The distribution's, to be spoiled. */
static void
copy_dictionary(const char *path, struct buf copies[3])
{
    struct err err = {0};
    char file[KIB];
    for (size_t i = 0; i < COUNT_OF(ENDINGS); i++) {
        snprintf(file, sizeof(file), "%s%s", GetDefaultCracklibDict(), ENDINGS[i]);
        buf_init(&copies[i], 64 * MIB);
        assert_true(fs_read_named(&copies[i], file, &err));
        snprintf(file, sizeof(file), "%s%s", path, ENDINGS[i]);
        assert_true(fs_replace_file(AT_FDCWD, file, buf_str(&copies[i]), 0600, &err));
    }
}

/* Neither taken at the start nor asked, and cracklib prints nothing about it. */
static void
check_is_refused(const struct config *with, const char *what)
{
    struct err err = {0};
    if (strength_check_dictionary(with, &err))
        fail_msg("%s is taken", what);
    assert_non_null(strstr(err.detail, "is damaged"));
    err = (struct err){0};
    assert_false(strength_check(with, STR("password"), STR("ann"), STR("password"), &err));
    assert_string_equal(err_code(&err), "password_check_unavailable");
}

static void
a_damaged_dictionary_is_refused(void **state)
{
    struct temp_dir *dir = *state;
    struct err err = {0};
    struct config own = config;
    const char *path = temp_path(dir, "own");
    own.players_password_dictionary = str_from(path);
    dice_begin(__func__);
    struct buf copies[COUNT_OF(ENDINGS)];
    copy_dictionary(path, copies);
    assert_true(strength_check_dictionary(&own, &err));
    for (size_t i = 0; i < COUNT_OF(ENDINGS); i++) {
        struct str whole = buf_str(&copies[i]);
        char file[KIB], what[KIB];
        snprintf(file, sizeof(file), "%s%s", path, ENDINGS[i]);
        /* Emptied, cut by a byte, a tenth and most of it. */
        const size_t left[] = {0, whole.n - 1, whole.n / 10 * 9, 100};
        for (size_t k = 0; k < COUNT_OF(left); k++) {
            snprintf(what, sizeof(what), "%s of %zu bytes", ENDINGS[i], left[k]);
            assert_true(
                fs_replace_file(AT_FDCWD, file, str_slice(whole, 0, left[k]), 0600, &err));
            check_is_refused(&own, what);
        }
        /* Written over, from a block in the middle of a disk to single bytes. */
        const size_t strides[] = {1, 3, 10, 100};
        for (size_t k = 0; k < COUNT_OF(strides); k++) {
            scoped_buf damaged = {.max = 64 * MIB};
            buf_add(&damaged, whole);
            for (size_t at = 13; at < damaged.n; at += strides[k])
                damaged.p[at] ^= (char)(1 + dice_below(255));
            snprintf(what, sizeof(what), "%s, each %zuth byte", ENDINGS[i], strides[k]);
            assert_true(fs_replace_file(AT_FDCWD, file, buf_str(&damaged), 0600, &err));
            check_is_refused(&own, what);
        }
        assert_true(fs_replace_file(AT_FDCWD, file, whole, 0600, &err));
        assert_true(strength_check_dictionary(&own, &err));
    }
    for (size_t i = 0; i < COUNT_OF(ENDINGS); i++)
        buf_free(&copies[i]);
    dice_end();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_guessed_first_is_refused_with_its_reason),
        cmocka_unit_test(a_few_words_are_taken_in_every_script_and_length),
        cmocka_unit_test(lengths_are_no_matter),
        cmocka_unit_test_setup_teardown(a_missing_dictionary_is_found_before_it_is_needed,
                                        temp_set_up, temp_tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_dictionary_is_refused, temp_set_up,
                                        temp_tear_down),
    };
    return cmocka_run_group_tests_name("strength", tests, NULL, NULL);
}
