/* The tf-idf file against scikit-learn's figures, over threads, and damaged. */
#include "base/utf8.h"
#include "columns_file.h"
#include "dice.h"
#include "index/tfidf.h"
#include "index/tokens.h"
#include "index/word_table.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const DOCUMENTS[] = {
    "The dragon and the Dragon's hoard, dragon! x y2 snake_case",
    "A hoard of gold for the dragon slayer",
    "gold gold gold mine racing",
    "",
    "the and of",
    "İstanbul ΣΊΣΥΦΟΣ naïve Straße 東京 ２０ ½a",
    "naïve dragon straße istanbul stanbul σίσυφος",
};
#define DOCUMENT_COUNT COUNT_OF(DOCUMENTS)

/* m = TfidfVectorizer(stop_words="english").fit_transform(DOCUMENTS); (m @ m.T).toarray() */
static const double SCORES[DOCUMENT_COUNT][DOCUMENT_COUNT] = {
    {1, 0.482186604061888, 0, 0, 0, 0, 0.272339978048318},
    {0.482186604061888, 1, 0.453783495027508, 0, 0, 0, 0.143696497022057},
    {0, 0.453783495027508, 1, 0, 0, 0, 0},
    {0, 0, 0, 0, 0, 0, 0},
    {0, 0, 0, 0, 0, 0, 0},
    {0, 0, 0, 0, 0, 1, 0.55661469611503},
    {0.272339978048318, 0.143696497022057, 0, 0, 0, 0.55661469611503, 1},
};

/* A columns file with one text column; `text_of` gives each row's. */
static void
make_columns(struct arena *a, struct columns *out, uint64_t row_count,
             struct str (*text_of)(struct arena *a, uint64_t row))
{
    struct err err = {0};
    struct columns_spec spec = {COLUMN_TEXT, row_count * 4096};
    struct value *rows = arena_array(a, row_count, struct value);
    for (uint64_t row = 0; row < row_count; row++)
        rows[row] = (struct value){.text = text_of(a, row)};
    scoped_fd fd = columns_file(&spec, 1, rows, row_count);
    assert_true(columns_open(a, out, fd, &err));
}

static int
build(const struct columns *columns, unsigned thread_count, uint64_t round_postings)
{
    static const size_t SIMILAR[] = {0};
    struct err err = {0};
    int fd = memory_file(STR(""));
    if (!tfidf_build(fd, columns, SIMILAR, 1, thread_count, round_postings, NULL, &err))
        fail_msg("%s", err.detail);
    return fd;
}

static struct tfidf_vector
vector_of(struct arena *a, const struct tfidf *t, const struct columns *columns, uint64_t row)
{
    static const size_t SIMILAR[] = {0};
    return tfidf_row_vector(a, t, columns, SIMILAR, 1, row);
}

static struct str
document(struct arena *a UNUSED, uint64_t row)
{
    return str_from(DOCUMENTS[row]);
}

static void
scores_are_those_of_scikit_learn(void **state UNUSED)
{
    scoped_arena a = {0};
    struct err err = {0};
    struct columns columns;
    struct tfidf t;
    make_columns(&a, &columns, DOCUMENT_COUNT, document);
    int fd = build(&columns, 3, 0);
    assert_true(tfidf_open(&t, fd, DOCUMENT_COUNT, &err));
    assert_true(tfidf_verify(&t, &err));
    assert_int_equal(t.word_count, 15);
    for (uint64_t row = 0; row < DOCUMENT_COUNT; row++) {
        double scores[DOCUMENT_COUNT];
        struct tfidf_vector query = vector_of(&a, &t, &columns, row);
        tfidf_score_rows(&t, &query, scores);
        for (size_t i = 0; i < DOCUMENT_COUNT; i++)
            assert_true(fabs(scores[i] - SCORES[row][i]) < 1e-12);
    }
    tfidf_close(&t);
    columns_close(&columns);
    close(fd);
}

/* Words of a Zipf-like vocabulary, some often in one document. */
static struct str
random_document(struct arena *a, uint64_t row UNUSED)
{
    struct buf text;
    buf_init(&text, 4000);
    uint64_t count = dice_below(120);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t word = dice_below(1 + dice_below(3000));
        bool is_often = dice_below(97) == 0;
        for (int times = is_often ? 300 : 1; times; times--)
            buf_printf(&text, "w%d ", (int)word);
        dice_reach("often in one document", is_often);
    }
    dice_reach("no word", count == 0);
    struct str copy = arena_str(a, buf_str(&text));
    buf_free(&text);
    return copy;
}

static void
same_bytes(const void *a, const void *b, size_t n)
{
    assert_true(n == 0 || memcmp(a, b, n) == 0);
}

static void
any_threads_and_rounds_give_the_same_lists(void **state UNUSED)
{
    enum { ROWS = 3000 };
    static const uint64_t ROUNDS[] = {0, 1, 5000};
    scoped_arena a = {0};
    struct err err = {0};
    struct columns columns;
    dice_begin(__func__);
    make_columns(&a, &columns, ROWS, random_document);
    struct tfidf first = {0};
    for (unsigned i = 0; i < 5 * COUNT_OF(ROUNDS); i++) {
        struct tfidf t;
        int fd = build(&columns, 1U << i % 5, ROUNDS[i / 5]);
        assert_true(tfidf_open(&t, fd, ROWS, &err));
        if (!tfidf_verify(&t, &err))
            fail_msg("%s", err.detail);
        close(fd);
        if (i == 0) {
            first = t;
            continue;
        }
        assert_int_equal(t.word_count, first.word_count);
        assert_int_equal(t.words.n, first.words.n);
        assert_int_equal(t.postings.n, first.postings.n);
        same_bytes(t.words.p, first.words.p, t.words.n);
        same_bytes(t.postings.p, first.postings.p, t.postings.n);
        same_bytes(t.offsets, first.offsets, (t.word_count + 1) * sizeof(*t.offsets));
        same_bytes(t.places, first.places, (t.word_count + 1) * sizeof(*t.places));
        same_bytes(t.documents, first.documents, t.word_count * sizeof(*t.documents));
        same_bytes(t.norms, first.norms, ROWS * sizeof(*t.norms));
        tfidf_close(&t);
    }
    for (uint64_t row = 0; row < ROWS; row += 100) {
        double scores[ROWS];
        struct tfidf_vector query = vector_of(&a, &first, &columns, row);
        tfidf_score_rows(&first, &query, scores);
        assert_true(fabs(scores[row] - (query.count ? 1 : 0)) < 1e-12);
    }
    tfidf_close(&first);
    columns_close(&columns);
    dice_end();
}

/* Words around the length that a slot holds, that differ in one byte, and enough to grow. */
static void
each_word_keeps_its_number(void **state UNUSED)
{
    enum { WORDS = 40000, BYTES_MAX = 40 };
    struct word_table t;
    char text[BYTES_MAX];
    word_table_init(&t, 11);
    for (unsigned round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < WORDS; i++) {
            size_t n = 4 + i % (BYTES_MAX - 4);
            memset(text, 'a', sizeof(text));
            for (size_t at = 0, rest = i; rest; rest /= 16, at++)
                text[at % 2 ? n - 1 - at / 2 : at / 2] = "abcdefghijklmnop"[rest % 16];
            struct str word = {text, n};
            assert_int_equal(word_table_number(&t, word), i);
            assert_true(str_eq(word_table_word(&t, i), word));
        }
        assert_int_equal(t.count, WORDS);
    }
    for (size_t n = 1; n < 4; n++)
        assert_int_equal(word_table_number(&t, (struct str){"aaa", n}), WORDS + n - 1);
    word_table_free(&t);
}

/* Each byte in turn: the file is refused, or verify finds it, and no answer leaves the map. */
static void
a_damaged_file_is_found_out(void **state UNUSED)
{
    scoped_arena a = {0};
    scoped_arena scratch = {0};
    struct columns columns;
    make_columns(&a, &columns, DOCUMENT_COUNT, document);
    int fd = build(&columns, 2, 0);
    off_t end = lseek(fd, 0, SEEK_END);
    size_t found = 0, holes = 0;
    for (off_t at = 0; at < end; at++) {
        struct err err = {0};
        unsigned char byte, turned;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        turned = byte ^ 0x41;
        assert_int_equal(pwrite(fd, &turned, 1, at), 1);
        struct tfidf t;
        if (!tfidf_open(&t, fd, DOCUMENT_COUNT, &err)) {
            assert_string_equal(err_code(&err), "index_damaged");
            found++;
        } else {
            if (tfidf_verify(&t, &err))
                holes++;
            else
                found++;
            double scores[DOCUMENT_COUNT];
            for (uint64_t row = 0; row < DOCUMENT_COUNT; row++) {
                struct tfidf_vector query = vector_of(&scratch, &t, &columns, row);
                tfidf_score_rows(&t, &query, scores);
            }
            tfidf_close(&t);
        }
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        arena_reset(&scratch);
    }
    /* Only what no section holds may go unseen: a page before the first one, gaps of alignment.
     */
    assert_true(found > 900);
    assert_true(holes < 4096 + 64);
    columns_close(&columns);
    close(fd);
}

static void
a_length_that_is_none_is_refused_at_open(void **state UNUSED)
{
    static const double WRONG[] = {NAN, INFINITY, -0.5, 1.5};
    scoped_arena a = {0};
    struct columns columns;
    struct tfidf t;
    make_columns(&a, &columns, DOCUMENT_COUNT, document);
    int fd = build(&columns, 1, 0);
    struct err err = {0};
    assert_true(tfidf_open(&t, fd, DOCUMENT_COUNT, &err));
    off_t at = (const char *)t.norms - t.map.bytes.p;
    tfidf_close(&t);
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        assert_int_equal(pwrite(fd, &WRONG[i], sizeof(double), at), sizeof(double));
        assert_false(tfidf_open(&t, fd, DOCUMENT_COUNT, &err));
        assert_string_equal(err_code(&err), "index_damaged");
    }
    columns_close(&columns);
    close(fd);
}

static void
words_are_runs_of_two_and_more_word_characters(void **state UNUSED)
{
    static const char *const WORDS[] = {"ab", "c_d", "x2", "éà", "isi", "2nd", "ж1"};
    struct tokens tokens = tokens_of(STR("a ab,c_d-x2 é éà isİt\xe2\x80\xa8"
                                         "2nd . ж1 "));
    struct str word;
    size_t count = 0;
    /* The dotted I ends its word as an i: isi, and then t alone. */
    while (tokens_next(&tokens, &word)) {
        assert_true(count < COUNT_OF(WORDS) && str_eq(word, str_from(WORDS[count])));
        count++;
    }
    tokens_free(&tokens);
    assert_int_equal(count, COUNT_OF(WORDS));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_those_of_scikit_learn),
        cmocka_unit_test(any_threads_and_rounds_give_the_same_lists),
        cmocka_unit_test(each_word_keeps_its_number),
        cmocka_unit_test(a_damaged_file_is_found_out),
        cmocka_unit_test(a_length_that_is_none_is_refused_at_open),
        cmocka_unit_test(words_are_runs_of_two_and_more_word_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
