/* Groups worked out plainly: the keys of each row from its typed values, groups found by
 * comparing keys, kept in order by insertion, and aggregates asked of the statistics with the
 * group's rows as the filter. */
#pragma once

#include "json_member.h"
#include "version_fixture.h"

#include "base/num.h"
#include "embedded/groups.h"
#include "embedded/stats.h"
#include "json/write.h"

#include <math.h>

enum shape { INT, BOOL, REAL, ISO_DAY, ISO_MONTH, MOMENT, TEXT, ELEMENT };

struct by {
    const char *text;
    size_t column;
    enum shape shape;
    double width; /* of bins; 0: none */
    enum groups_part part;
};

static const struct by BYS[] = {
    {"id:1000", ID, INT, 1000, GROUPS_INTEGER_BIN},
    {"age", AGE, INT, 0, GROUPS_WHOLE},
    {"age:10", AGE, INT, 10, GROUPS_INTEGER_BIN},
    {"age:2.5", AGE, REAL, 2.5, GROUPS_REAL_BIN},
    {"price", PRICE, REAL, 0, GROUPS_WHOLE},
    {"price:10", PRICE, REAL, 10, GROUPS_REAL_BIN},
    {"price:0.1", PRICE, REAL, 0.1, GROUPS_REAL_BIN},
    {"price:0.33", PRICE, REAL, 0.33, GROUPS_REAL_BIN},
    {"free", FREE, BOOL, 0, GROUPS_WHOLE},
    {"day", DAY, ISO_DAY, 0, GROUPS_WHOLE},
    {"day:day", DAY, ISO_DAY, 0, GROUPS_DAY},
    {"day:month", DAY, ISO_MONTH, 0, GROUPS_MONTH},
    {"day:year", DAY, INT, 0, GROUPS_YEAR},
    {"seen", SEEN, MOMENT, 0, GROUPS_WHOLE},
    {"seen:day", SEEN, ISO_DAY, 0, GROUPS_DAY},
    {"seen:month", SEEN, ISO_MONTH, 0, GROUPS_MONTH},
    {"seen:year", SEEN, INT, 0, GROUPS_YEAR},
    {"name", NAME, TEXT, 0, GROUPS_WHOLE},
    {"about", ABOUT, TEXT, 0, GROUPS_WHOLE},
    {"tags", TAGS, ELEMENT, 0, GROUPS_WHOLE},
    {"min_price", MIN_AGE, INT, 0, GROUPS_WHOLE},
};

struct key {
    const struct by *by;
    bool is_null;
    int64_t i;
    double d;
    struct str text;
    uint64_t row; /* text: where it stands first */
};

static int64_t
floor_to(int64_t v, int64_t width)
{
    __int128 at = (__int128)v - (v % width + width) % width;
    return at < INT64_MIN ? INT64_MIN : (int64_t)at;
}

/* The double nearest to the decimal: by way of its text, for which hundredths are enough. */
static double
edge_of(long double k, double width)
{
    scoped_buf text = {.max = 64};
    double edge;
    long double hundredths = k * roundl((long double)width * 100);
    uint64_t whole = (uint64_t)fabsl(hundredths);
    buf_printf(&text, "%s%llu.%02llu", hundredths < 0 ? "-" : "",
               (unsigned long long)(whole / 100), (unsigned long long)(whole % 100));
    assert_true(num_parse_f64(buf_str(&text), &edge));
    return edge + 0.0;
}

/* Far from zero the value, else the greatest edge that is not above it. */
static double
floor_real(double v, double width)
{
    if (fabs(v / width) >= 0x1p53)
        return v;
    long double k = floorl((long double)v / (long double)width) + 2;
    while (edge_of(k, width) > v)
        k--;
    return edge_of(k, width);
}

static int64_t
day_of(const struct value *v, size_t column)
{
    return column == SEEN ? floor_to(v->i, DATE_MS_PER_DAY) / DATE_MS_PER_DAY : v->i;
}

static void
fill_key(struct key *k, const struct value *v)
{
    int year, month, day;
    const struct by *by = k->by;
    k->is_null = v->is_null;
    k->i = v->i;
    k->text = v->text;
    if (v->is_null)
        return;
    if (by->part == GROUPS_INTEGER_BIN)
        k->i = floor_to(v->i, (int64_t)by->width);
    double d = by->column == PRICE ? v->d : (double)v->i;
    k->d = by->part == GROUPS_REAL_BIN ? floor_real(d, by->width) : d + 0.0;
    if (by->part == GROUPS_DAY || by->part == GROUPS_MONTH || by->part == GROUPS_YEAR) {
        k->i = day_of(v, by->column);
        date_to_ymd(k->i, &year, &month, &day);
        if (by->part == GROUPS_MONTH)
            k->i = date_from_ymd(year, month, 1);
        if (by->part == GROUPS_YEAR)
            k->i = year;
    }
}

/* The first of the selected rows that holds the same text. */
static uint64_t
first_row_of(const struct by *by, const struct bitmap *rows, struct str text)
{
    uint64_t row = bitmap_next(rows, 0);
    while (!str_eq(fixture.rows[row][by->column].text, text))
        row = bitmap_next(rows, row + 1);
    return row;
}

static size_t
keys_of(const struct by *by, const struct bitmap *rows, uint64_t row, struct key out[4])
{
    const struct value *v = &fixture.rows[row][by->column];
    size_t count = 0;
    struct key key = {.by = by};
    if (by->shape != ELEMENT) {
        fill_key(&key, v);
        if (by->shape == TEXT)
            key.row = first_row_of(by, rows, v->text);
        out[0] = key;
        return 1;
    }
    for (size_t i = 0; i < v->element_count; i++) {
        bool is_there = false;
        for (size_t k = 0; k < count; k++)
            is_there = is_there || str_eq(out[k].text, v->elements[i]);
        key.text = v->elements[i];
        if (!is_there)
            out[count++] = key;
    }
    key.is_null = count == 0;
    if (count == 0)
        out[count++] = key;
    return count;
}

static int
compare_key(struct arena *a, const struct key *x, const struct key *y)
{
    if (x->is_null || y->is_null)
        return (int)x->is_null - (int)y->is_null;
    if (x->by->shape == REAL)
        return (x->d > y->d) - (x->d < y->d);
    if (x->by->shape != TEXT && x->by->shape != ELEMENT)
        return (x->i > y->i) - (x->i < y->i);
    if (str_eq(x->text, y->text))
        return 0;
    int way = str_cmp(fixture_fold(a, x->text), fixture_fold(a, y->text));
    if (way != 0)
        return way;
    return x->by->shape == ELEMENT ? str_cmp(x->text, y->text) : x->row < y->row ? -1 : 1;
}

static void
add_key(struct buf *out, const struct key *k)
{
    scoped_buf day = {.max = 64};
    if (k->is_null) {
        buf_add_lit(out, "null");
        return;
    }
    switch (k->by->shape) {
    case INT:
        num_add_i64(out, k->i);
        break;
    case BOOL:
        buf_add(out, k->i ? STR("true") : STR("false"));
        break;
    case REAL:
        num_add_f64(out, k->d);
        break;
    case ISO_DAY:
    case ISO_MONTH:
        date_add_day(&day, k->i);
        json_add_quoted(out, str_slice(buf_str(&day), 0, k->by->shape == ISO_DAY ? 10 : 7));
        break;
    case MOMENT:
        date_add_timestamp(&day, k->i);
        json_add_quoted(out, buf_str(&day));
        break;
    case TEXT:
    case ELEMENT:
        json_add_quoted(out, k->text);
        break;
    }
}

struct group {
    struct key keys[2];
    struct bitmap rows;
};

struct model {
    struct group *groups; /* in order */
    size_t count, key_count;
};

static void
model_add(struct arena *a, struct model *m, const struct key *first, const struct key *second,
          uint64_t row)
{
    size_t at = 0;
    int way = -1;
    for (; at < m->count; at++) {
        way = compare_key(a, first, &m->groups[at].keys[0]);
        if (way == 0 && second)
            way = compare_key(a, second, &m->groups[at].keys[1]);
        if (way <= 0)
            break;
    }
    if (at == m->count || way != 0) {
        memmove(&m->groups[at + 1], &m->groups[at], (m->count - at) * sizeof(*m->groups));
        m->groups[at] = (struct group){.keys = {*first, second ? *second : *first}};
        m->groups[at].rows = bitmap_new(a, fixture.row_count);
        m->count++;
    }
    bitmap_set(&m->groups[at].rows, row);
}

static struct model
model_make(struct arena *a, const struct by *first, const struct by *second,
           const struct bitmap *rows)
{
    struct model m = {.key_count = second ? 2 : 1};
    m.groups = arena_alloc_array(a, 16 * fixture.row_count + 1, sizeof(*m.groups));
    for (uint64_t row = 0; row < fixture.row_count; row++) {
        struct key x[4], y[4];
        if (!bitmap_has(rows, row))
            continue;
        size_t x_count = keys_of(first, rows, row, x);
        size_t y_count = second ? keys_of(second, rows, row, y) : 1;
        for (size_t i = 0; i < x_count; i++)
            for (size_t k = 0; k < y_count; k++)
                model_add(a, &m, &x[i], second ? &y[k] : NULL, row);
    }
    return m;
}

/* The aggregates of a column, as the parameter and as the members of a group. */
static struct str
all_aggregates(struct arena *a, size_t column)
{
    struct str out = STR("count");
    for (size_t i = 0; i < STATS_AGGREGATE_COUNT; i++)
        if (i != STATS_PERCENTILES &&
            stats_aggregates_of(FIXTURE_SCHEMA[column].type) & UINT32_C(1) << i)
            out = arena_printf(a, "%" STR_FMT ",%" STR_FMT "(%" STR_FMT ")", STR_ARG(out),
                               STR_ARG(stats_aggregate_name((enum stats_aggregate)i)),
                               STR_ARG(FIXTURE_SCHEMA[column].name));
    return out;
}

static void
add_model_group(struct buf *out, const struct model *m, const struct group *g, size_t column)
{
    struct stats_request request = {.aggregates = UINT32_MAX & ~(1u << STATS_PERCENTILES)};
    struct err err = {0};
    scoped_buf stats = {.max = 64 * KIB};
    struct stats_answer answer;
    embedded_stats_of(&fixture.version.columns.columns[column], &g->rows, &request, &answer);
    assert_true(stats_add_json(&stats, &answer, &err));
    for (size_t i = 0; i < m->key_count; i++) {
        buf_printf(out, "%s\"%s\":", i ? "," : "{", g->keys[i].by->text);
        add_key(out, &g->keys[i]);
    }
    buf_printf(out, ",\"count\":%llu", (unsigned long long)bitmap_count(&g->rows));
    for (size_t i = 0; i < STATS_AGGREGATE_COUNT; i++) {
        struct str word = stats_aggregate_name((enum stats_aggregate)i);
        if (i == STATS_PERCENTILES ||
            !(stats_aggregates_of(FIXTURE_SCHEMA[column].type) & UINT32_C(1) << i))
            continue;
        buf_printf(out, ",\"%" STR_FMT "(%" STR_FMT ")\":%" STR_FMT, STR_ARG(word),
                   STR_ARG(FIXTURE_SCHEMA[column].name),
                   STR_ARG(json_member(buf_str(&stats), word)));
    }
    buf_add_char(out, '}');
}
