/* The command line of a subcommand. */
#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *mode, *source;
static uint64_t max_errors;
static const struct option_row ROWS[] = {
    {.name = "on_error", .text = &mode},
    {.name = "max_errors", .number = &max_errors, .min = 1, .max = 9},
    {0},
};

static bool
parse(const char *first, const char *second)
{
    char *argv[] = {(char *)"import", (char *)first, (char *)second};
    mode = source = NULL;
    max_errors = 0;
    return options_parse(second ? 3 : 2, argv, ROWS, &source);
}

static void
words_of_a_name_are_joined_by_either_line(void **state UNUSED)
{
    assert_true(parse("--on-error", "abort"));
    assert_string_equal(mode, "abort");
    assert_true(parse("--on_error=skip", "--max-errors=9"));
    assert_string_equal(mode, "skip");
    assert_int_equal(max_errors, 9);
}

static void
what_is_no_option_is_refused(void **state UNUSED)
{
    static const char *const WRONG[][2] = {
        {"--on-errors", "x"},    {"--on", "x"},         {"--onerror", "x"},
        {"--on-error", NULL},    {"--max-errors", "0"}, {"--max_errors=10", NULL},
        {"--max-errors=", NULL}, {"a.csv", "b.csv"},    {"--", "x"},
    };
    for (size_t i = 0; i < COUNT_OF(WRONG); i++)
        if (parse(WRONG[i][0], WRONG[i][1]))
            fail_msg("%s was taken", WRONG[i][0]);
    assert_true(parse("a.csv", NULL));
    assert_string_equal(source, "a.csv");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_a_name_are_joined_by_either_line),
        cmocka_unit_test(what_is_no_option_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
