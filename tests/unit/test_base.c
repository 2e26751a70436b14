/* The foundation: strings, containers, errors, digests and files keep what their headers say.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/random.h"
#include "base/sha256.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "disk_order.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
assert_str(struct str s, const char *expected)
{
    if (!str_eq(s, str_from(expected)))
        fail_msg("'%.*s' is not '%s'", (int)s.n, s.p, expected);
}

/* ---- str, buf, arena, map ---- */

static void
a_map_keeps_the_first_value_of_each_key(void **state UNUSED)
{
    enum { KEYS = 1000 };
    scoped_arena a = {0};
    struct map map;
    map_init(&a, &map, KEYS);
    assert_null(map_get(&map, STR("")));
    for (size_t i = 0; i < KEYS; i++) {
        struct str key = i ? arena_printf(&a, "%zu", i) : (struct str){0};
        assert_true(map_put(&map, key, i));
        assert_false(map_put(&map, key, KEYS));
    }
    assert_int_equal(map.count, KEYS);
    for (size_t i = 0; i < KEYS; i++)
        assert_int_equal(*map_get(&map, i ? arena_printf(&a, "%zu", i) : STR("")), i);
    assert_null(map_get(&map, STR("1000")));
    ++*map_get(&map, STR("7"));
    assert_int_equal(*map_get(&map, STR("7")), 8);
    map_init(&a, &map, 0);
    assert_null(map_get(&map, STR("a")));
}

static void
strings_are_cut_and_found(void **state UNUSED)
{
    struct str rest = STR("a,,b,");
    assert_str(str_cut(&rest, ','), "a");
    assert_str(str_cut(&rest, ','), "");
    assert_str(str_cut(&rest, ','), "b");
    assert_non_null(rest.p);
    assert_str(str_cut(&rest, ','), "");
    assert_null(rest.p);
    assert_str(str_trim(STR(" \t\r\n x y \v\f")), "x y");
    assert_str(str_slice(STR("abc"), 2, 1), "");
    assert_str(str_slice(STR("abc"), 1, 99), "bc");
    assert_int_equal(str_find(STR("abcabd"), STR("abd")), 3);
    assert_int_equal(str_find(STR("abc"), STR("")), 0);
    assert_int_equal(str_find(STR(""), STR("a")), -1);
    assert_true(str_starts(STR("abc"), STR("ab")) && !str_starts(STR("a"), STR("ab")));
    assert_true(str_ends(STR("abc"), STR("bc")) && !str_ends(STR("c"), STR("bc")));
    assert_true(str_cmp(STR("a"), STR("ab")) < 0 && str_cmp(STR("\xff"), STR("a")) > 0);
    assert_true(str_eq((struct str){NULL, 0}, STR("")));
}

static void
ascii_case_is_ignored_behind_a_nul_too(void **state UNUSED)
{
    assert_true(str_eq_ascii_nocase(STR("Content-Type"), STR("content-TYPE")));
    assert_false(str_eq_ascii_nocase(STR("a\0b"), STR("a\0c")));
    assert_false(str_eq_ascii_nocase(STR("[{"), STR("{[")));
}

static void
distances_are_levenshtein(void **state UNUSED)
{
    assert_int_equal(str_distance(STR("kitten"), STR("sitting")), 3);
    assert_int_equal(str_distance(STR(""), STR("abc")), 3);
    assert_int_equal(str_distance(STR("price"), STR("price")), 0);
    assert_int_equal(str_distance(STR("nmae"), STR("name")), 1);
    assert_int_equal(str_distance(STR("ca"), STR("abc")),
                     3); /* no edit within a swapped pair */
}

static void
suggestions_are_slips_beginnings_and_other_names(void **state UNUSED)
{
    static const struct synonym OTHERS[] = {{STR_INIT("page"), STR_INIT("cursor")},
                                            {STR_INIT("price"), STR_INIT("cursor")}};
    static const struct {
        const char *wrong, *text;
    } CASES[] = {
        {"prize", "; did you mean 'price'?"},
        {"nmae", "; did you mean 'name'?"},
        {"Price", "; did you mean 'price'?"},
        {"Release date", "; did you mean 'release_date'?"},
        {"release", "; did you mean 'release_date'?"},
        {"PAGE", "; did you mean 'cursor'?"},
        {"price", "; did you mean 'price'?"},
        {"nam", "; did you mean 'name'?"},
        {"gt", ""},
        {"rice_list", ""},
        {"x", ""},
        {"", ""},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct suggestion s = suggest_begin(str_from(CASES[i].wrong));
        suggest_offer(&s, STR("name"));
        suggest_offer(&s, STR("not"));
        suggest_offer(&s, STR("release_date"));
        suggest_offer(&s, STR("price"));
        suggest_offer(&s, STR(""));
        suggest_synonyms(&s, OTHERS, COUNT_OF(OTHERS));
        assert_string_equal(suggest_text(&s), CASES[i].text);
    }
}

static void
a_buf_keeps_its_maximum(void **state UNUSED)
{
    scoped_buf b;
    buf_init(&b, 10);
    buf_add_lit(&b, "12345");
    buf_printf(&b, "%d", 678);
    assert_false(b.is_full);
    buf_add_lit(&b, "abc");
    assert_true(b.is_full);
    assert_str(buf_str(&b), "12345678");
    buf_add_lit(&b, "9a");
    assert_str(buf_str(&b), "123456789a");
    buf_clear(&b);
    assert_false(b.is_full);
    buf_printf(&b, "%s", "a text over the limit");
    assert_true(b.is_full && b.n == 0);
}

static void
printing_grows_a_buf_as_needed(void **state UNUSED)
{
    scoped_buf b;
    buf_init(&b, MIB);
    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "%04d", i);
    assert_int_equal(b.n, 4000);
    for (int i = 0; i < 1000; i++) {
        int64_t v;
        assert_true(
            num_parse_i64(str_slice(buf_str(&b), (size_t)i * 4, (size_t)i * 4 + 4), &v));
        assert_int_equal(v, i);
    }
}

static void
an_arena_hands_out_zeroed_aligned_memory(void **state UNUSED)
{
    scoped_arena a = {0};
    for (size_t round = 0; round < 3; round++) {
        for (size_t n = 0; n < 3000; n += 7) {
            unsigned char *p = arena_alloc(&a, n);
            assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xff, n);
        }
        char *large = arena_alloc(&a, MIB);
        memset(large, 1, MIB);
        arena_reset(&a);
        assert_int_equal(a.total, 0);
    }
    assert_str(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
    assert_string_equal(arena_cstr(&a, str_slice(STR("abc"), 0, 2)), "ab");
}

/* ---- err ---- */

/* In the arena's memory or, without one, in memory of its own. */
static uint64_t *
grow(struct arena *a, uint64_t *p, size_t *cap, size_t count)
{
    return a ? arena_grow(a, p, cap, count, sizeof(*p)) : mem_grow(p, cap, count, sizeof(*p));
}

static void
arrays_grow_and_keep_what_they_hold(void **state UNUSED)
{
    enum { COUNT = 10000 };
    scoped_arena arena = {0};
    for (size_t round = 0; round < 2; round++) {
        struct arena *a = round ? &arena : NULL;
        uint64_t *p = NULL;
        size_t cap = 0, moves = 0;
        for (size_t i = 0; i < COUNT; i++) {
            uint64_t *before = p;
            p = grow(a, p, &cap, i + 1);
            assert_true(cap > i);
            moves += p != before;
            p[i] = i * i;
        }
        assert_true(moves < 16);
        p = grow(a, p, &cap, 5 * cap + 3);
        assert_true(cap > 5 * COUNT);
        for (size_t i = 0; i < COUNT; i++)
            assert_int_equal(p[i], i * i);
        assert_ptr_equal(grow(a, p, &cap, cap), p);
        if (a)
            assert_int_equal(p[cap - 1], 0);
        else
            free(p);
    }
}

static void
no_elements_are_memory_too(void **state UNUSED)
{
    void *p = mem_alloc(0), *zeroed = mem_alloc_array(0, 8);
    assert_non_null(p);
    assert_non_null(zeroed);
    p = mem_resize(p, 0, 8);
    assert_non_null(p);
    free(p);
    free(zeroed);
}

static void
who_finds_no_memory_ends_with_a_line(void **state UNUSED)
{
    int ends[2], status;
    char line[100] = "";
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        scoped_arena a = {0};
        dup2(ends[1], STDERR_FILENO);
        arena_alloc_array(&a, SIZE_MAX / 2, 3);
        _exit(0);
    }
    close(ends[1]);
    assert_true(read(ends[0], line, sizeof(line) - 1) > 0);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_string_equal(line, "playmeter: out of memory\n");
}

static void
errors_keep_what_they_say_printable(void **state UNUSED)
{
    struct err err = {0};
    assert_false(
        err_set_name(&err, ERR_INVALID, "odd", STR("na\nme"), "a\tb\xff%s", "\xc3\xa4"));
    assert_int_equal(err.kind, ERR_INVALID);
    assert_string_equal(err_code(&err), "odd");
    assert_string_equal(err.name, "na?me");
    assert_string_equal(err.detail, "a?b?\xc3\xa4");
    assert_false(err_set(&err, ERR_NOT_FOUND, "no"));
    assert_string_equal(err_code(&err), "not_found");
    assert_string_equal(err.name, "");
}

static void
an_error_can_say_more_about_itself(void **state UNUSED)
{
    struct err err = {0};
    assert_false(err_set_code(&err, ERR_INVALID, "inner", "the reason"));
    assert_false(err_set_code(&err, ERR_CONFLICT, err.code, "because %s", err.detail));
    assert_string_equal(err.detail, "because the reason");
    assert_string_equal(err_code(&err), "inner");
    assert_false(err_set(&err, ERR_CONFLICT, "%s, again", err.detail));
    assert_string_equal(err.detail, "because the reason, again");
}

static void
a_long_detail_is_cut_at_a_character(void **state UNUSED)
{
    for (size_t shift = 0; shift < 2; shift++) {
        char text[2000] = "x";
        for (size_t i = shift; i + 2 < sizeof(text); i += 2)
            memcpy(text + i, "\xc3\xa4", 3);
        struct err err = {0};
        assert_false(err_set(&err, ERR_INVALID, "%s", text));
        assert_true(utf8_is_valid(str_from(err.detail)));
        assert_true(strlen(err.detail) >= sizeof(err.detail) - 4);
    }
}

static void
errno_decides_between_disk_full_busy_and_internal(void **state UNUSED)
{
    struct err err = {0};
    errno = ENOSPC;
    assert_false(err_set_errno(&err, "writing %s", "x"));
    assert_int_equal(err.kind, ERR_DISK_FULL);
    errno = EACCES;
    assert_false(err_set_errno(&err, "writing %s", "x"));
    assert_int_equal(err.kind, ERR_INTERNAL);
    assert_string_equal(err.detail, "writing x: Permission denied");
    assert_true(err.is_private);
    assert_false(err_is_shortage(&err));
    errno = EMFILE;
    assert_false(err_set_errno(&err, "opening %s", "x"));
    assert_int_equal(err.kind, ERR_BUSY);
    assert_true(err_is_shortage(&err));
    assert_false(err_set_code(&err, ERR_BUSY, "index_damaged", "x"));
    assert_false(err_is_shortage(&err));
    errno = EDQUOT;
    assert_false(err_set_errno(&err, "/srv/data/spool/1"));
    assert_non_null(strstr(err.detail, "/srv/data"));
    assert_string_equal(err_public_detail(&err), "there is no room left on the disk");
    assert_false(err_set(&err, ERR_DISK_FULL, "5 MiB are free"));
    assert_string_equal(err_public_detail(&err), "5 MiB are free");
}

/* ---- hash ---- */

static void
digests_are_the_published_ones(void **state UNUSED)
{
    char hex[SHA256_HEX_BYTES + 1];
    struct sha256 h;
    sha256_init(&h);
    sha256_add(&h, STR("a"));
    sha256_add(&h, STR("bc"));
    sha256_finish_hex(&h, hex);
    assert_string_equal(hex,
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    unsigned char whole[SHA256_BYTES];
    static const unsigned char EMPTY[] = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14};
    sha256_of((struct str){NULL, 0}, whole);
    assert_memory_equal(whole, EMPTY, sizeof(EMPTY));
    sha256_of(STR("abc"), whole);
    assert_memory_equal(whole, "\xba\x78\x16\xbf\x8f\x01\xcf\xea", 8);
    char a[33], b[33];
    random_hex(a, 32);
    random_hex(b, 32);
    assert_int_equal(strspn(a, "0123456789abcdef"), 32);
    assert_string_not_equal(a, b);
}

static void
hashes_of_all_lengths_differ(void **state UNUSED)
{
    char zeros[64] = {0};
    uint64_t seen[COUNT_OF(zeros)];
    for (size_t n = 0; n < COUNT_OF(seen); n++) {
        seen[n] = hash_bytes((struct str){zeros, n}, 1);
        assert_true(seen[n] != hash_bytes((struct str){zeros, n}, 2));
        for (size_t i = 0; i < n; i++)
            assert_true(seen[i] != seen[n]);
    }
}

/* ---- fs ---- */

static void
only_the_last_folder_is_closed_to_others(void **state)
{
    struct err err = {0};
    struct stat st;
    mode_t mask = umask(022);
    assert_true(fs_make_dirs(temp_path(*state, "above/below/last"), &err));
    umask(mask);
    assert_int_equal(stat(temp_path(*state, "above"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    assert_int_equal(stat(temp_path(*state, "above/below/last"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
}

static void
folders_are_made_and_removed(void **state)
{
    struct err err = {0};
    assert_true(fs_make_dirs(temp_path(*state, "a/b/c"), &err));
    assert_true(fs_make_dirs(temp_path(*state, "a/b/c/"), &err));
    assert_true(fs_replace_file(AT_FDCWD, temp_path(*state, "a/b/f"), STR("x"), 0600, &err));
    assert_false(fs_make_dirs(temp_path(*state, "a/b/f"), &err));
    assert_false(fs_make_dirs("", &err));
    /* A link is removed, not what it points to. */
    assert_int_equal(symlink("../a", temp_path(*state, "a/link")), 0);
    assert_true(fs_remove_tree(AT_FDCWD, temp_path(*state, "a/link"), &err));
    assert_int_equal(access(temp_path(*state, "a/b/f"), F_OK), 0);
    assert_true(fs_remove_tree(AT_FDCWD, temp_path(*state, "a"), &err));
    assert_int_equal(access(temp_path(*state, "a"), F_OK), -1);
    assert_true(fs_remove_tree(AT_FDCWD, temp_path(*state, "a"), &err));
}

/* Its bytes, then its name, then the folder that the name is in. */
static void
a_file_that_was_replaced_is_on_the_disk(void **state)
{
    struct temp_dir *dir = *state;
    struct err err = {0};
    assert_true(fs_make_dirs(temp_path(dir, "a/b"), &err));
    scoped_fd folder = fs_open_at(AT_FDCWD, temp_path(dir, "a"), O_RDONLY | O_DIRECTORY, &err);
    const struct {
        int dir;
        const char *path, *file, *folder;
    } CASES[] = {{AT_FDCWD, temp_path(dir, "f"), "f", ""},
                 {AT_FDCWD, temp_path(dir, "a/b/f"), "a/b/f", "a/b"},
                 {folder, "f", "a/f", "a"},
                 {folder, "b/g", "a/b/g", "a/b"}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        disk_log_clear();
        assert_true(fs_replace_file(CASES[i].dir, CASES[i].path, STR("x"), 0600, &err));
        ptrdiff_t renamed = disk_last(dir, "rename", CASES[i].file);
        struct str bytes = arena_printf(&dir->arena, " sync:%s/%s.", dir->path, CASES[i].file);
        ptrdiff_t synced = str_find(str_from(disk_log), bytes);
        assert_true(synced >= 0 && synced < renamed);
        assert_true(disk_last(dir, "sync", CASES[i].folder) > renamed);
    }
}

static void
files_are_replaced_whole(void **state)
{
    struct err err = {0};
    scoped_buf b;
    buf_init(&b, 8);
    assert_false(fs_read_file(&b, AT_FDCWD, temp_path(*state, "f"), &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_true(fs_replace_file(AT_FDCWD, temp_path(*state, "f"), STR("12345678"), 0640, &err));
    assert_true(fs_replace_file(AT_FDCWD, temp_path(*state, "f"), STR("abc"), 0640, &err));
    assert_true(fs_read_file(&b, AT_FDCWD, temp_path(*state, "f"), &err));
    assert_str(buf_str(&b), "abc");
    struct stat st;
    assert_int_equal(stat(temp_path(*state, "f"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_false(fs_read_file(&b, AT_FDCWD, temp_path(*state, "f"), &err) &&
                 fs_read_file(&b, AT_FDCWD, temp_path(*state, "f"), &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    assert_int_equal(symlink("f", temp_path(*state, "link")), 0);
    assert_int_equal(fs_open_at(AT_FDCWD, temp_path(*state, "link"), O_RDONLY, &err), -1);
}

static void
files_are_read_written_and_mapped(void **state)
{
    struct err err = {0};
    scoped_fd fd = fs_open_at(AT_FDCWD, temp_path(*state, "m"), O_RDWR | O_CREAT, &err);
    assert_true(fd >= 0);
    struct fs_map map;
    assert_true(fs_map_open(&map, fd, &err));
    assert_null(map.bytes.p);
    fs_map_drop_before(&map, 100);
    fs_map_close(&map);
    assert_true(fs_write(fd, STR("hello"), &err));
    assert_true(fs_write_at(fd, STR("J"), 0, &err));
    char out[5];
    assert_true(fs_read_at(fd, out, 5, 0, &err));
    assert_memory_equal(out, "Jello", 5);
    assert_false(fs_read_at(fd, out, 5, 1, &err));
    assert_true(fs_map_open(&map, fd, &err));
    assert_str(map.bytes, "Jello");
    fs_map_drop_before(&map, 5);
    assert_str(map.bytes, "Jello");
    fs_map_close(&map);
    fs_map_close(&map);
    uint64_t bytes;
    assert_true(fs_size(fd, &bytes, &err) && bytes == 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_keeps_the_first_value_of_each_key),
        cmocka_unit_test(strings_are_cut_and_found),
        cmocka_unit_test(ascii_case_is_ignored_behind_a_nul_too),
        cmocka_unit_test(distances_are_levenshtein),
        cmocka_unit_test(suggestions_are_slips_beginnings_and_other_names),
        cmocka_unit_test(a_buf_keeps_its_maximum),
        cmocka_unit_test(printing_grows_a_buf_as_needed),
        cmocka_unit_test(an_arena_hands_out_zeroed_aligned_memory),
        cmocka_unit_test(arrays_grow_and_keep_what_they_hold),
        cmocka_unit_test(no_elements_are_memory_too),
        cmocka_unit_test(who_finds_no_memory_ends_with_a_line),
        cmocka_unit_test(errors_keep_what_they_say_printable),
        cmocka_unit_test(an_error_can_say_more_about_itself),
        cmocka_unit_test(a_long_detail_is_cut_at_a_character),
        cmocka_unit_test(errno_decides_between_disk_full_busy_and_internal),
        cmocka_unit_test(digests_are_the_published_ones),
        cmocka_unit_test(hashes_of_all_lengths_differ),
        cmocka_unit_test_setup_teardown(only_the_last_folder_is_closed_to_others, temp_set_up,
                                        temp_tear_down),
        cmocka_unit_test_setup_teardown(folders_are_made_and_removed, temp_set_up,
                                        temp_tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_was_replaced_is_on_the_disk, temp_set_up,
                                        temp_tear_down),
        cmocka_unit_test_setup_teardown(files_are_replaced_whole, temp_set_up, temp_tear_down),
        cmocka_unit_test_setup_teardown(files_are_read_written_and_mapped, temp_set_up,
                                        temp_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
