/* A small dataset version in a temporary folder, with every column type, for the tests of
 * filters, queries and exports; and the same rows as typed values, so that a test can say what
 * the answer is without the code under test. */
#pragma once

#include "base/date.h"
#include "base/utf8.h"
#include "columns_file.h"
#include "dice.h"
#include "embedded/engine.h"
#include "embedded/filter.h"
#include "query/export.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ID, AGE, PRICE, FREE, DAY, SEEN, NAME, ABOUT, TAGS, MIN_AGE, FIXTURE_COLUMNS };

static struct schema_column FIXTURE_SCHEMA[FIXTURE_COLUMNS] = {
    [ID] = {.name = STR_INIT("id"), .header = STR_INIT("ID"), .type = COLUMN_INTEGER},
    [AGE] = {.name = STR_INIT("age"), .header = STR_INIT("Age, years"), .type = COLUMN_INTEGER},
    [PRICE] = {.name = STR_INIT("price"), .header = STR_INIT("Price"), .type = COLUMN_REAL},
    [FREE] = {.name = STR_INIT("free"), .header = STR_INIT("=Free"), .type = COLUMN_BOOLEAN},
    [DAY] = {.name = STR_INIT("day"), .header = STR_INIT("Day"), .type = COLUMN_DATE},
    [SEEN] = {.name = STR_INIT("seen"), .header = STR_INIT("Seen"), .type = COLUMN_DATETIME},
    [NAME] = {.name = STR_INIT("name"), .header = STR_INIT("Name"), .type = COLUMN_TEXT},
    [ABOUT] = {.name = STR_INIT("about"), .header = STR_INIT("About"), .type = COLUMN_TEXT},
    [TAGS] = {.name = STR_INIT("tags"), .header = STR_INIT("Tags"), .type = COLUMN_LIST},
    /* A column that has the name of an alias. */
    [MIN_AGE] = {.name = STR_INIT("min_price"), .header = STR_INIT(""), .type = COLUMN_INTEGER},
};

struct fixture {
    char folder[64];
    struct arena arena;
    struct value (*rows)[FIXTURE_COLUMNS];
    uint64_t row_count;
    struct embedded_version version;
};

static const struct str FIXTURE_WORDS[] = {
    STR_INIT("dragon"),
    STR_INIT("Dragon"),
    STR_INIT("DRAGONS"),
    STR_INIT("é"),
    STR_INIT("É"),
    STR_INIT("e"),
    STR_INIT("straße"),
    STR_INIT("100%"),
    STR_INIT("_x_"),
    STR_INIT("x"),
    STR_INIT("Ⱥ"),
    STR_INIT("ⱥ"),
    STR_INIT("日本"),
    STR_INIT("a,b"),
    STR_INIT("say \"hi\""),
    STR_INIT("=1+1"),
    STR_INIT("-5"),
    STR_INIT("line\nbreak"),
    STR_INIT("К"),
    STR_INIT("\xe2\x84\xaa"),
    STR_INIT("the long prefix one"),
    STR_INIT("the long prefix two"),
};
static inline struct str
fixture_word(void)
{
    return FIXTURE_WORDS[dice_below(COUNT_OF(FIXTURE_WORDS))];
}

static inline struct str
fixture_text(struct arena *a, size_t words_max)
{
    struct str text = {"", 0};
    for (size_t n = dice_below(words_max + 1); n > 0; n--) {
        struct str word = fixture_word();
        text = arena_printf(a, "%" STR_FMT "%s%" STR_FMT, STR_ARG(text), text.n ? " " : "",
                            STR_ARG(word));
    }
    return text;
}

static inline void
fixture_make_row(struct fixture *f, uint64_t row)
{
    static const int64_t AGES[] = {
        0, 1, 2, 3, 17, 18, -1, INT64_MAX, INT64_MIN, 9007199254740993, 9007199254740992};
    static const double PRICES[] = {0, -0.0, 0.99, 9.99, 19.99, -1.5, 1e300, 1e-300, 0.1};
    struct value *v = f->rows[row];
    v[ID].i = (int64_t)((row * 7919) % 10007 * 10);
    v[AGE].i = AGES[dice_below(COUNT_OF(AGES))];
    v[PRICE].d = PRICES[dice_below(COUNT_OF(PRICES))];
    v[FREE].i = (int64_t)dice_below(2);
    v[DAY].i = (int64_t)dice_below(20) - 5;
    v[SEEN].i = ((int64_t)dice_below(6) - 3) * DATE_MS_PER_DAY;
    v[SEEN].i += (int64_t[]){0, 1, DATE_MS_PER_DAY - 1, 3600000}[dice_below(4)];
    v[NAME].text = fixture_text(&f->arena, 1);
    v[ABOUT].text = fixture_text(&f->arena, 5);
    v[MIN_AGE].i = (int64_t)dice_below(4);
    for (size_t c = AGE; c <= SEEN; c++)
        if (dice_below(5) == 0)
            v[c] = (struct value){.is_null = true};
    struct str *elements = arena_array(&f->arena, 3, struct str);
    v[TAGS].elements = elements;
    v[TAGS].element_count = dice_below(4);
    v[TAGS].text = STR("");
    for (size_t i = 0; i < v[TAGS].element_count; i++) {
        elements[i] = fixture_word();
        v[TAGS].text = arena_printf(&f->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(v[TAGS].text),
                                    i ? ";" : "", STR_ARG(elements[i]));
    }
}

static inline void
fixture_write(struct fixture *f)
{
    struct rows_column columns[FIXTURE_COLUMNS];
    struct columns_spec specs[FIXTURE_COLUMNS];
    struct err err = {0};
    const char *path = arena_printf(&f->arena, "%s/" ROWS_FILE_NAME, f->folder).p;
    for (size_t i = 0; i < FIXTURE_COLUMNS; i++) {
        columns[i] = (struct rows_column){FIXTURE_SCHEMA[i].name, FIXTURE_SCHEMA[i].type, 100};
        specs[i] = (struct columns_spec){FIXTURE_SCHEMA[i].type, f->row_count * 400 + 64};
    }
    struct rows_builder *rows = rows_build_begin(path, columns, FIXTURE_COLUMNS, &err);
    assert_non_null(rows);
    scoped_fd fd = open(arena_printf(&f->arena, "%s/" COLUMNS_FILE_NAME, f->folder).p,
                        O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    for (uint64_t r = 0; r < f->row_count; r++)
        assert_true(rows_build_add(rows, f->rows[r], 0, &err));
    assert_true(rows_build_finish(&rows, &err));
    columns_file_write(fd, specs, FIXTURE_COLUMNS, f->rows[0], f->row_count);
    assert_true(columns_open(&f->arena, &f->version.columns, fd, &err));
    f->version.rows = rows_open(path, columns, FIXTURE_COLUMNS, &err);
    assert_non_null(f->version.rows);
}

static inline void
fixture_open(struct fixture *f, uint64_t row_count)
{
    const char *base = getenv("TMPDIR");
    snprintf(f->folder, sizeof(f->folder), "%s/playmeter.XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(f->folder));
    f->row_count = row_count;
    f->rows = arena_alloc_array(&f->arena, row_count, sizeof(*f->rows));
    for (uint64_t r = 0; r < row_count; r++)
        fixture_make_row(f, r);
    fixture_write(f);
    f->version.common.schema = (struct schema){.columns = FIXTURE_SCHEMA,
                                               .column_count = FIXTURE_COLUMNS,
                                               .key_index = ID,
                                               .title_index = NAME,
                                               .date_index = DAY};
    embedded_version_prepare(&f->arena, &f->version);
}

/* Trigrams for every text and list column, however short. */
static inline void
fixture_index(struct fixture *f)
{
    struct err err = {0};
    scoped_fd fd = open(arena_printf(&f->arena, "%s/" TRIGRAMS_FILE_NAME, f->folder).p,
                        O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(trigrams_build(fd, &f->version.columns, 0, NULL, &err));
    assert_true(trigrams_open(&f->arena, &f->version.trigrams, fd, &f->version.columns, &err));
    assert_int_equal(f->version.trigrams.column_count, 3);
}

static inline void
fixture_close(struct fixture *f)
{
    struct err err = {0};
    embedded_version_close(&f->version);
    assert_true(fs_remove_tree(AT_FDCWD, f->folder, &err));
    arena_free(&f->arena);
}

enum { FIXTURE_ROWS = 700 };

/* The one that a program's tests share. */
static struct fixture fixture;

static inline int
fixture_set_up(void **state UNUSED)
{
    fixture_open(&fixture, FIXTURE_ROWS);
    return 0;
}

static inline int
fixture_tear_down(void **state UNUSED)
{
    fixture_close(&fixture);
    fixture = (struct fixture){0};
    return 0;
}

/* Two texts after folding, as bytes: the tests' own copy of the rule. */
static inline struct str
fixture_fold(struct arena *a, struct str s)
{
    char *out = arena_alloc(a, s.n * 3 / 2 + 4);
    return (struct str){out, utf8_fold_into(out, s)};
}

/* A row as a query shows it; valid until the next. */
static inline const struct value *
fixture_row(const struct embedded_version *version, const struct query *query, uint64_t row)
{
    struct ask ask = {.version = &version->common};
    const struct value *cells;
    struct err err = {0};
    if (!EMBEDDED_ENGINE.row(&ask, query, &row, 1, 0, &cells, &err))
        fail_msg("row %llu: %s", (unsigned long long)row, err.detail);
    return cells;
}

/* The rows that one parameter asks for; an empty name asks for all. */
static inline bool
fixture_ask(const struct fixture *f, struct arena *a, struct str name, struct str value,
            struct bitmap *out, struct err *err)
{
    struct param param = {name, value};
    struct filter *filter;
    return filter_parse(a, &f->version.common.schema, &param, name.n > 0,
                        STR("q fields limit cursor format"), STR(""), &filter, err) &&
           embedded_filter_run(a, filter, &f->version, 0, out, err);
}
