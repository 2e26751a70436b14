/* Telling of folders that are kept: the mark that /readyz reads is there once it can be. */
#include "runner/kept.h"

#include "temp_dir.h"

#include <sys/stat.h>
#include <unistd.h>

#define LINES STR("datasets/1/0123: why\ndatasets/2/4567: why\n")

static bool
has_mark(const char *path, struct str lines)
{
    scoped_buf text;
    struct err err;
    buf_init(&text, KEPT_BYTES_MAX);
    return fs_read_file(&text, AT_FDCWD, path, &err) && str_eq(buf_str(&text), lines);
}

static void
a_mark_that_could_not_be_written_is_tried_again(void **state)
{
    struct temp_dir *dir = *state;
    scoped_buf told = {0};
    const char *run = temp_path(dir, "run"), *mark = temp_path(dir, "run/kept");
    /* As a disk that is full does it: there is no place for the file. */
    kept_tell(&told, LINES, mark);
    assert_int_equal(access(mark, F_OK), -1);
    assert_int_equal(mkdir(run, 0700), 0);
    kept_tell(&told, LINES, mark);
    assert_true(has_mark(mark, LINES));
    assert_int_equal(unlink(mark), 0);
    kept_tell(&told, LINES, mark);
    assert_true(has_mark(mark, LINES));
    kept_tell(&told, STR(""), mark);
    assert_int_equal(access(mark, F_OK), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_mark_that_could_not_be_written_is_tried_again,
                                        temp_set_up, temp_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
