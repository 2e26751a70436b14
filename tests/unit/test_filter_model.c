/* Filters asked at random: each operator on each type against a plain evaluation of the typed
 * rows, and the same questions asked of rows.db in SQL; all of it by scans and then by
 * trigrams.
 */
#include "version_fixture.h"

#include "base/buf.h"

#include <sqlite3.h>

static int
open_indexed_fixture(void **state)
{
    fixture_set_up(state);
    fixture_index(&fixture);
    return 0;
}

/* Lists that lie outside: every search turns to the scan. */
static int
open_damaged_fixture(void **state)
{
    open_indexed_fixture(state);
    for (size_t i = 0; i < fixture.version.trigrams.column_count; i++) {
        struct trigrams_segment *s = fixture.version.trigrams.columns[i].segments;
        uint32_t *offsets = arena_array(&fixture.arena, s->gram_count + 1, uint32_t);
        memset(offsets, 0xff, s->gram_count * sizeof(*offsets));
        s->offsets = offsets;
    }
    return 0;
}

/* ---- the model: what the contract says, row by row ---- */

static const char *const OPERATORS[] = {
    "exact",      "not",      "gt", "gte",   "lt",  "lte",    "contains", "notcontains",
    "startswith", "endswith", "in", "notin", "has", "isnull", "notnull",
};

struct question {
    size_t column;
    const char *op;
    struct str text; /* as in the URL */
    /* What the text means: */
    int64_t i;
    double d;
    bool is_half; /* integer: i + 0.5 */
    bool is_day;  /* datetime */
    struct str word;
    bool flag;
};

static bool
is_op(const struct question *q, const char *op)
{
    return strcmp(q->op, op) == 0;
}

static bool
is_ordering(const struct question *q)
{
    return q->op[0] == 'g' || q->op[0] == 'l';
}

static bool
is_allowed(const struct question *q)
{
    enum column_type type = FIXTURE_SCHEMA[q->column].type;
    if (is_ordering(q))
        return type != COLUMN_BOOLEAN && type != COLUMN_LIST;
    if (is_op(q, "has"))
        return type == COLUMN_LIST;
    if (strstr(q->op, "contains") || strstr(q->op, "with"))
        return column_type_is_textual(type);
    return !q->is_half; /* only a bound may lie between two integers */
}

/* Where a number stands to what was asked: -1 before, 0 at, 1 behind. */
static int
place_of(const struct question *q, const struct value *v)
{
    switch (FIXTURE_SCHEMA[q->column].type) {
    case COLUMN_REAL:
        return (v->d > q->d) - (v->d < q->d);
    case COLUMN_DATETIME:
        if (q->is_day) {
            int64_t start = q->i * DATE_MS_PER_DAY;
            return v->i < start ? -1 : v->i >= start + DATE_MS_PER_DAY;
        }
        return (v->i > q->i) - (v->i < q->i);
    case COLUMN_INTEGER:
        if (q->is_half)
            return v->i <= q->i ? -1 : 1;
        return (v->i > q->i) - (v->i < q->i);
    case COLUMN_BOOLEAN:
    case COLUMN_DATE:
    case COLUMN_TEXT:
    case COLUMN_LIST:
        break;
    }
    return (v->i > q->i) - (v->i < q->i);
}

static bool
holds_order(const char *op, int place)
{
    if (op[0] == 'g')
        return op[2] ? place >= 0 : place > 0;
    return op[2] ? place <= 0 : place < 0;
}

static bool
word_fits(struct arena *a, const char *op, struct str cell, struct str word)
{
    cell = fixture_fold(a, cell);
    word = fixture_fold(a, word);
    if (strstr(op, "contains"))
        return memmem(cell.p, cell.n, word.p, word.n) != NULL;
    if (strstr(op, "starts"))
        return cell.n >= word.n && memcmp(cell.p, word.p, word.n) == 0;
    if (strstr(op, "ends"))
        return cell.n >= word.n && memcmp(cell.p + cell.n - word.n, word.p, word.n) == 0;
    return cell.n == word.n && memcmp(cell.p, word.p, word.n) == 0;
}

static bool
fits(struct arena *a, const struct question *q, const struct value *v)
{
    enum column_type type = FIXTURE_SCHEMA[q->column].type;
    bool is_negative = strncmp(q->op, "not", 3) == 0, hit = false;
    if (is_op(q, "isnull"))
        return v->is_null == q->flag;
    if (is_op(q, "notnull"))
        return v->is_null != q->flag;
    if (v->is_null)
        return false;
    if (is_ordering(q) && type == COLUMN_TEXT)
        return holds_order(q->op, str_cmp(fixture_fold(a, v->text), fixture_fold(a, q->word)));
    if (is_ordering(q))
        return holds_order(q->op, place_of(q, v));
    if (type == COLUMN_TEXT || (type == COLUMN_LIST && strstr(q->op, "contains")))
        hit = word_fits(a, q->op, v->text, q->word);
    else if (type == COLUMN_LIST)
        for (size_t i = 0; i < v->element_count; i++)
            hit |= word_fits(a, q->op, v->elements[i], q->word);
    else
        hit = place_of(q, v) == 0;
    return hit != is_negative;
}

static void
print_moment(struct arena *a, struct question *q)
{
    scoped_buf out;
    buf_init(&out, 64);
    if (q->is_day)
        date_add_day(&out, q->i);
    else
        date_add_timestamp(&out, q->i);
    q->text = arena_str(a, buf_str(&out));
}

/* A value near those that occur, so that bounds fall on rows. */
static void
make_value(struct arena *a, struct question *q)
{
    const struct value *like = &fixture.rows[dice_below(fixture.row_count)][q->column];
    q->i = like->i;
    switch (FIXTURE_SCHEMA[q->column].type) {
    case COLUMN_INTEGER:
        q->is_half = dice_below(4) == 0 && q->i >= 0;
        q->text = arena_printf(a, "%lld%s", (long long)q->i, q->is_half ? ".5" : "");
        break;
    case COLUMN_REAL:
        q->d = like->d;
        q->text = arena_printf(a, "%.17g", q->d);
        break;
    case COLUMN_BOOLEAN:
        q->text = str_from((const char *[]){"no", "true", "0", "YES", "False",
                                            "1"}[(size_t)q->i + 2 * dice_below(3)]);
        break;
    case COLUMN_DATE:
        q->is_day = true;
        print_moment(a, q);
        break;
    case COLUMN_DATETIME:
        q->is_day = dice_below(2);
        if (q->is_day)
            q->i = (int64_t)dice_below(6) - 3;
        print_moment(a, q);
        break;
    case COLUMN_TEXT:
    case COLUMN_LIST:
        q->word = q->text = fixture_word();
        break;
    }
}

static struct question
make_question(struct arena *a)
{
    struct question q = {.column = dice_below(FIXTURE_COLUMNS),
                         .op = OPERATORS[dice_below(COUNT_OF(OPERATORS))]};
    make_value(a, &q);
    if (strstr(q.op, "null")) {
        q.is_half = false;
        q.flag = dice_below(2);
        q.text = q.flag ? (dice_below(2) ? STR("") : STR("true")) : STR("false");
    }
    return q;
}

/* in and notin read commas and brackets. */
static struct str
url_value(struct arena *a, const struct question *q)
{
    bool is_many = is_op(q, "in") || is_op(q, "notin");
    if (!is_many || str_find_char(q->text, ',') < 0)
        return q->text;
    return arena_printf(a, "[\"%" STR_FMT "\"]", STR_ARG(q->text));
}

static void
filter_equals_the_model_row_by_row(void **state)
{
    (void)state;
    dice_begin(__func__);
    for (size_t round = 0; round < dice_rounds(6000); round++) {
        scoped_arena a = {0};
        struct question q = make_question(&a);
        struct bitmap rows;
        struct err err = {0};
        struct str name =
            arena_printf(&a, "%" STR_FMT "__%s", STR_ARG(FIXTURE_SCHEMA[q.column].name), q.op);
        bool ok = fixture_ask(&fixture, &a, name, url_value(&a, &q), &rows, &err);
        if (ok != is_allowed(&q))
            fail_msg("%s=%s: %s", name.p, q.text.p, err.detail);
        dice_reach("refused", !ok);
        for (size_t i = 0; i < COUNT_OF(OPERATORS); i++)
            dice_reach(OPERATORS[i], ok && is_op(&q, OPERATORS[i]));
        dice_reach("no row", ok && bitmap_count(&rows) == 0);
        dice_reach("every row", ok && bitmap_count(&rows) == fixture.row_count);
        for (uint64_t r = 0; ok && r < fixture.row_count; r++)
            if (bitmap_has(&rows, r) != fits(&a, &q, &fixture.rows[r][q.column]))
                fail_msg("%s=%s differs at row %llu", name.p, q.text.p, (unsigned long long)r);
    }
    dice_end();
}

static void
several_filters_are_their_intersection(void **state)
{
    (void)state;
    dice_begin(__func__);
    for (size_t round = 0; round < dice_rounds(500); round++) {
        scoped_arena a = {0};
        struct question q[3];
        struct param params[3];
        struct filter *filter;
        struct bitmap rows;
        struct err err = {0};
        for (size_t i = 0; i < COUNT_OF(q); i++) {
            do
                q[i] = make_question(&a);
            while (!is_allowed(&q[i]));
            params[i].name = arena_printf(&a, "%" STR_FMT "__%s",
                                          STR_ARG(FIXTURE_SCHEMA[q[i].column].name), q[i].op);
            params[i].value = url_value(&a, &q[i]);
        }
        assert_true(filter_parse(&a, &fixture.version.common.schema, params, 3, STR(""),
                                 STR(""), &filter, &err));
        assert_true(embedded_filter_run(&a, filter, &fixture.version, 0, &rows, &err));
        dice_reach("no row", bitmap_count(&rows) == 0);
        dice_reach("some rows", bitmap_count(&rows) > 0);
        for (uint64_t r = 0; r < fixture.row_count; r++) {
            bool expected = true;
            for (size_t i = 0; i < COUNT_OF(q); i++)
                expected &= fits(&a, &q[i], &fixture.rows[r][q[i].column]);
            assert_int_equal(bitmap_has(&rows, r), expected);
        }
    }
    dice_end();
}

static void
words_are_found_in_any_text_column(void **state)
{
    (void)state;
    dice_begin(__func__);
    for (size_t round = 0; round < dice_rounds(500); round++) {
        scoped_arena a = {0};
        struct filter *filter;
        struct bitmap rows;
        struct err err = {0};
        struct str words[] = {fixture_word(), dice_below(4) ? fixture_word() : STR("zebra")};
        struct str q =
            arena_printf(&a, "%" STR_FMT " %" STR_FMT, STR_ARG(words[0]), STR_ARG(words[1]));
        assert_true(filter_parse(&a, &fixture.version.common.schema, NULL, 0, STR(""), q,
                                 &filter, &err));
        assert_true(embedded_filter_run(&a, filter, &fixture.version, 0, &rows, &err));
        for (uint64_t r = 0; r < fixture.row_count; r++) {
            bool expected = true;
            struct str rest = q;
            while (rest.n) {
                struct str word = str_cut(&rest, ' ');
                expected &= word_fits(&a, "contains", fixture.rows[r][NAME].text, word) ||
                            word_fits(&a, "contains", fixture.rows[r][ABOUT].text, word);
            }
            if (bitmap_has(&rows, r) != expected)
                fail_msg("q=%s differs at row %llu", q.p, (unsigned long long)r);
        }
        dice_reach("no row", bitmap_count(&rows) == 0);
        dice_reach("some rows", bitmap_count(&rows) > 0);
    }
    dice_end();
}

/* ---- the same question in SQL ---- */

static void
sql_fold(sqlite3_context *context, int count, sqlite3_value **values)
{
    scoped_arena a = {0};
    (void)count;
    struct str text = {(const char *)sqlite3_value_text(values[0]),
                       (size_t)sqlite3_value_bytes(values[0])};
    struct str folded = fixture_fold(&a, text);
    sqlite3_result_blob(context, folded.p, (int)folded.n, SQLITE_TRANSIENT);
}

/* NULL where SQL has no short word for it. */
static const char *
sql_of(struct arena *a, const struct question *q)
{
    static const char *const SIGNS[][2] = {{"exact", "="}, {"not", "<>"}, {"gt", ">"},
                                           {"gte", ">="},  {"lt", "<"},   {"lte", "<="}};
    const char *name = FIXTURE_SCHEMA[q->column].name.p;
    enum column_type type = FIXTURE_SCHEMA[q->column].type;
    if (is_op(q, "isnull") || is_op(q, "notnull"))
        return arena_printf(a, "%s IS %sNULL", name,
                            is_op(q, "isnull") == q->flag ? "" : "NOT ")
            .p;
    if (strstr(q->op, "contains"))
        return arena_printf(a, "instr(fold(%s), fold(?1)) %s 0", name,
                            is_op(q, "contains") ? ">" : "=")
            .p;
    if (type == COLUMN_LIST || type == COLUMN_BOOLEAN)
        return NULL;
    if (q->is_half) /* SQLite would round i + 0.5 to a double */
        return arena_printf(a, "%s %s %lld", name,
                            q->op[0] == 'g' ? ">" : "<=", (long long)q->i)
            .p;
    for (size_t i = 0; i < COUNT_OF(SIGNS); i++)
        if (is_op(q, SIGNS[i][0])) {
            if (type == COLUMN_TEXT)
                return arena_printf(a, "fold(%s) %s fold(?1)", name, SIGNS[i][1]).p;
            if (type == COLUMN_DATETIME)
                return q->is_day
                           ? arena_printf(a, "substr(%s, 1, 10) %s ?1", name, SIGNS[i][1]).p
                           : NULL;
            return arena_printf(a, "%s %s %s%s%s", name, SIGNS[i][1],
                                type == COLUMN_DATE ? "'" : "", q->text.p,
                                type == COLUMN_DATE ? "'" : "")
                .p;
        }
    return NULL;
}

static void
compare_with_sql(sqlite3 *db, struct arena *a, const struct question *q, const char *where)
{
    struct str name =
        arena_printf(a, "%" STR_FMT "__%s", STR_ARG(FIXTURE_SCHEMA[q->column].name), q->op);
    struct bitmap rows;
    struct err err = {0};
    sqlite3_stmt *stmt;
    const char *sql = arena_printf(a, "SELECT rowid FROM rows WHERE %s", where).p;
    assert_true(fixture_ask(&fixture, a, name, q->text, &rows, &err));
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    sqlite3_bind_text(stmt, 1, q->text.p, (int)q->text.n, SQLITE_STATIC);
    uint64_t at = bitmap_next(&rows, 0);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        if (at + 1 != (uint64_t)sqlite3_column_int64(stmt, 0))
            fail_msg("%s=%s is not %s at row %llu", name.p, q->text.p, sql,
                     (unsigned long long)at);
        at = bitmap_next(&rows, at + 1);
    }
    assert_int_equal(at, fixture.row_count);
    sqlite3_finalize(stmt);
}

static void
filter_equals_the_same_question_in_sql(void **state)
{
    (void)state;
    dice_begin(__func__);
    scoped_arena paths = {0};
    sqlite3 *db;
    const char *path = arena_printf(&paths, "%s/" ROWS_FILE_NAME, fixture.folder).p;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_create_function(db, "fold", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                                             NULL, sql_fold, NULL, NULL),
                     SQLITE_OK);
    for (size_t round = 0; round < dice_rounds(2000); round++) {
        scoped_arena a = {0};
        struct question q = make_question(&a);
        const char *where = is_allowed(&q) ? sql_of(&a, &q) : NULL;
        dice_reach("compared", where);
        if (where)
            compare_with_sql(db, &a, &q, where);
    }
    sqlite3_close(db);
    dice_end();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filter_equals_the_model_row_by_row),
        cmocka_unit_test(several_filters_are_their_intersection),
        cmocka_unit_test(words_are_found_in_any_text_column),
        cmocka_unit_test(filter_equals_the_same_question_in_sql),
    };
    int failed = cmocka_run_group_tests_name("scans", tests, fixture_set_up, fixture_tear_down);
    failed +=
        cmocka_run_group_tests_name("trigrams", tests, open_indexed_fixture, fixture_tear_down);
    failed += cmocka_run_group_tests_name("damaged trigrams", tests, open_damaged_fixture,
                                          fixture_tear_down);
    return failed;
}
