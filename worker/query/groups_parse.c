/* See groups.h: the question, from text to checked numbers.  The grammar is printed there. */
#include "query/groups.h"

#include "base/date.h"
#include "base/hash.h"
#include "base/num.h"

#define WIDTH_DIGITS_MAX 15 /* so many are exact in a double */
#define SHOWN_BYTES 80      /* of a value that is at fault, in a message */

struct parse {
    struct arena *a;
    const struct schema *schema;
    struct groups_question *q;
    struct err *err;
};

static bool
refuse(struct parse *p, const char *param, const char *rule, struct str seen)
{
    return err_set_name(p->err, ERR_BAD_PARAMETER, NULL, str_from(param),
                        "%s: %s, got '%" STR_FMT "'", param, rule,
                        STR_ARG(str_slice(seen, 0, SHOWN_BYTES)));
}

static bool
find_column(struct parse *p, const char *param, struct str name, size_t *out)
{
    if (schema_find(p->schema, name, out))
        return true;
    struct suggestion near = schema_suggest(p->schema, name);
    return err_set_name(p->err, ERR_BAD_PARAMETER, NULL, str_from(param),
                        "%s: there is no column '%" STR_FMT "'%s", param,
                        STR_ARG(str_slice(name, 0, SHOWN_BYTES)), suggest_text(&near));
}

/* ---- by ---- */

/* [0-9]+ ["." [0-9]+], above 0, at most WIDTH_DIGITS_MAX digits. */
static bool
read_width(struct str text, int64_t *digits, unsigned *scale)
{
    int64_t v = 0;
    unsigned behind_dot = 0, count = 0;
    bool has_dot = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '.' && !has_dot && i > 0 && i + 1 < text.n) {
            has_dot = true;
            continue;
        }
        if (c < '0' || c > '9' || ++count > WIDTH_DIGITS_MAX)
            return false;
        v = v * 10 + (c - '0');
        behind_dot += has_dot;
    }
    for (; behind_dot > 0 && v % 10 == 0; behind_dot--)
        v /= 10;
    *digits = v;
    *scale = behind_dot;
    return v > 0;
}

static bool
read_part(struct parse *p, const char *param, struct str part, struct groups_key *key)
{
    static const struct {
        struct str word;
        enum groups_part part;
    } PARTS[] = {{STR_INIT("year"), GROUPS_YEAR},
                 {STR_INIT("month"), GROUPS_MONTH},
                 {STR_INIT("day"), GROUPS_DAY}};
    const struct schema_column *column = &p->schema->columns[key->column];
    if (column->type == COLUMN_INTEGER || column->type == COLUMN_REAL) {
        if (!read_width(part, &key->digits, &key->scale))
            return refuse(p, param,
                          "behind the colon of a number stands the width of its bins, a "
                          "decimal number above 0 of at most 15 digits",
                          part);
        bool is_whole = column->type == COLUMN_INTEGER && key->scale == 0;
        key->part = is_whole ? GROUPS_INTEGER_BIN : GROUPS_REAL_BIN;
        key->integer_width = key->digits;
        return true;
    }
    if (column->type != COLUMN_DATE && column->type != COLUMN_DATETIME)
        return err_set_name(p->err, ERR_BAD_PARAMETER, NULL, str_from(param),
                            "%s: nothing stands behind the %s column %" STR_FMT
                            ", got ':%" STR_FMT "'; dates take year, month or day, numbers the "
                            "width of their bins",
                            param, column_type_name(column->type), STR_ARG(column->name),
                            STR_ARG(str_slice(part, 0, SHOWN_BYTES)));
    struct suggestion near = suggest_begin(part);
    for (size_t i = 0; i < COUNT_OF(PARTS); i++) {
        if (str_eq(part, PARTS[i].word)) {
            key->part = PARTS[i].part;
            return true;
        }
        suggest_offer(&near, PARTS[i].word);
    }
    return err_set_name(p->err, ERR_BAD_PARAMETER, NULL, str_from(param),
                        "%s: a date is grouped by year, month or day, got '%" STR_FMT "'%s",
                        param, STR_ARG(str_slice(part, 0, SHOWN_BYTES)), suggest_text(&near));
}

static bool
parse_key(struct parse *p, const char *param, struct str text)
{
    if (p->q->key_count == GROUPS_KEYS_MAX)
        return err_set_name(p->err, ERR_BAD_PARAMETER, NULL, str_from(param),
                            "%s: at most %d columns, separated by a comma", param,
                            GROUPS_KEYS_MAX);
    struct groups_key *key = &p->q->keys[p->q->key_count];
    struct str rest = text, name = str_cut(&rest, ':');
    *key = (struct groups_key){.label = text};
    if (!find_column(p, param, name, &key->column))
        return false;
    key->type = p->schema->columns[key->column].type;
    if (rest.p && !read_part(p, param, rest, key))
        return false;
    for (size_t i = 0; i < p->q->key_count; i++)
        if (str_eq(p->q->keys[i].label, text))
            return refuse(p, param, "each column is named once", text);
    p->q->key_count++;
    return true;
}

static bool
parse_by(struct parse *p, const char *param, struct str text)
{
    if (text.n == 0)
        return err_set_name(p->err, ERR_BAD_PARAMETER, NULL, str_from(param),
                            "%s names the column to group by, as in %s=genres or "
                            "%s=release_date:year",
                            param, param, param);
    while (text.p)
        if (!parse_key(p, param, str_trim(str_cut(&text, ','))))
            return false;
    return true;
}

/* ---- items ---- */

static bool
check_type(struct parse *p, const char *param, const struct groups_item *item)
{
    const struct schema_column *column = &p->schema->columns[item->column];
    if (stats_aggregates_of(column->type) & UINT32_C(1) << item->aggregate)
        return true;
    scoped_buf has = {.max = KIB};
    stats_add_aggregates_of(&has, column->type);
    return err_set_name(p->err, ERR_BAD_PARAMETER, NULL, str_from(param),
                        "%s: the column %" STR_FMT " is of type %s and has no %" STR_FMT
                        "; it has %" STR_FMT,
                        param, STR_ARG(column->name), column_type_name(column->type),
                        STR_ARG(stats_aggregate_name(item->aggregate)), STR_ARG(buf_str(&has)));
}

static bool
read_item(struct parse *p, const char *param, struct str text, struct groups_item *out)
{
    bool has_column = str_ends(text, STR(")"));
    struct str rest = text, word = str_trim(str_cut(&rest, '('));
    struct str name = has_column && rest.p ? str_trim(str_slice(rest, 0, rest.n - 1)) : rest;
    if (has_column != (rest.p != NULL))
        return refuse(p, param, "an aggregate is written mean(price), or count", text);
    if (!stats_aggregate_find(word, &out->aggregate))
        return stats_refuse_aggregate(param, "", word, p->err);
    if (out->aggregate == STATS_PERCENTILES)
        return refuse(p, param, "groups have no percentiles, but median and iqr", text);
    bool is_of_rows = name.n == 0 || str_eq(name, STR("*"));
    if (is_of_rows && out->aggregate != STATS_COUNT)
        return refuse(p, param, "all aggregates but count name a column, as in mean(price)",
                      text);
    if (is_of_rows) {
        out->column = GROUPS_ROWS;
        return true;
    }
    return find_column(p, param, name, &out->column) && check_type(p, param, out);
}

static struct str
label_of(struct parse *p, const struct groups_item *item)
{
    if (item->column != GROUPS_ROWS)
        return arena_printf(p->a, "%" STR_FMT "(%" STR_FMT ")",
                            STR_ARG(stats_aggregate_name(item->aggregate)),
                            STR_ARG(p->schema->columns[item->column].name));
    /* A key's column may be called count. */
    for (size_t i = 0; i < p->q->key_count; i++)
        if (str_eq(p->q->keys[i].label, STR("count")))
            return STR("count()");
    return STR("count");
}

/* An item said before is that one. */
static bool
add_item(struct parse *p, const char *param, struct str text, size_t *index)
{
    struct groups_item item = {0};
    if (!read_item(p, param, text, &item))
        return false;
    for (*index = 0; *index < p->q->item_count; (*index)++)
        if (p->q->items[*index].aggregate == item.aggregate &&
            p->q->items[*index].column == item.column)
            return true;
    if (p->q->item_count == GROUPS_ITEMS_MAX)
        return err_set_name(p->err, ERR_BAD_PARAMETER, NULL, str_from(param),
                            "%s: at most %d aggregates at once", param, GROUPS_ITEMS_MAX);
    item.label = label_of(p, &item);
    p->q->items[p->q->item_count++] = item;
    return true;
}

static bool
parse_items(struct parse *p, struct str text)
{
    size_t index;
    if (text.n == 0)
        text = STR("count");
    while (text.p)
        if (!add_item(p, "aggregate", str_trim(str_cut(&text, ',')), &index))
            return false;
    p->q->shown_count = p->q->item_count;
    return true;
}

/* ---- having ---- */

static enum stats_result_kind
kind_of(const struct parse *p, const struct groups_item *item)
{
    bool is_moment = item->aggregate == STATS_MIN || item->aggregate == STATS_MAX ||
                     item->aggregate == STATS_MEDIAN;
    if (item->column == GROUPS_ROWS || !is_moment)
        return STATS_REAL;
    enum column_type type = p->schema->columns[item->column].type;
    return type == COLUMN_DATE       ? STATS_DAY
           : type == COLUMN_DATETIME ? STATS_MOMENT
                                     : STATS_REAL;
}

static bool
read_bound(struct parse *p, struct str text, struct groups_test *test)
{
    struct stats_result *lo = &test->lo, *hi = &test->hi;
    lo->kind = kind_of(p, &p->q->items[test->item]);
    bool is_read = false;
    if (lo->kind == STATS_DAY) {
        is_read = date_parse_iso(text, &lo->i);
    } else if (lo->kind == STATS_MOMENT && date_parse_iso(text, &lo->i)) {
        lo->i *= DATE_MS_PER_DAY;
        *hi = *lo;
        hi->i += DATE_MS_PER_DAY - 1;
        return true;
    } else if (lo->kind == STATS_MOMENT) {
        is_read = date_parse_timestamp(text, &lo->i);
    } else if (num_parse_i64(text, &lo->i)) {
        lo->kind = STATS_INT;
        is_read = true;
    } else {
        is_read = num_parse_f64(text, &lo->d);
    }
    *hi = *lo;
    return is_read ||
           refuse(p, "having",
                  lo->kind == STATS_REAL ? "the value is a number"
                                         : "the value is a day or a moment, as in 2026-01-31",
                  text);
}

static bool
read_null_word(struct parse *p, struct str text, struct groups_test *test)
{
    bool is_true = str_eq_ascii_nocase(text, STR("true")) || str_eq(text, STR("1"));
    bool is_false = str_eq_ascii_nocase(text, STR("false")) || str_eq(text, STR("0"));
    if (is_false)
        test->op = test->op == GROUPS_IS_NULL ? GROUPS_NOT_NULL : GROUPS_IS_NULL;
    return is_true || is_false || refuse(p, "having", "the value is true or false", text);
}

static bool
find_operator(struct parse *p, struct str word, enum groups_operator *out)
{
    static const struct str WORDS[] = {
        [GROUPS_EXACT] = STR_INIT("exact"),    [GROUPS_NOT] = STR_INIT("not"),
        [GROUPS_GT] = STR_INIT("gt"),          [GROUPS_GTE] = STR_INIT("gte"),
        [GROUPS_LT] = STR_INIT("lt"),          [GROUPS_LTE] = STR_INIT("lte"),
        [GROUPS_IS_NULL] = STR_INIT("isnull"), [GROUPS_NOT_NULL] = STR_INIT("notnull"),
    };
    struct suggestion near = suggest_begin(word);
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        if (str_eq(word, WORDS[i])) {
            *out = (enum groups_operator)i;
            return true;
        }
        suggest_offer(&near, WORDS[i]);
    }
    return err_set_name(p->err, ERR_BAD_PARAMETER, NULL, STR("having"),
                        "having: '%" STR_FMT
                        "' is no operator%s (there are: exact not gt gte lt "
                        "lte isnull notnull)",
                        STR_ARG(str_slice(word, 0, SHOWN_BYTES)), suggest_text(&near));
}

/* The item ends at its bracket, or before "__": a column's name may hold two underscores. */
static size_t
item_end(struct str left)
{
    ptrdiff_t end = str_find_char(left, ')');
    if (end >= 0)
        return (size_t)end + 1;
    end = str_find(left, STR("__"));
    return end >= 0 ? (size_t)end : left.n;
}

static bool
parse_test(struct parse *p, struct str text)
{
    if (p->q->test_count == GROUPS_TESTS_MAX)
        return err_set_name(p->err, ERR_BAD_PARAMETER, NULL, STR("having"),
                            "having: at most %d tests", GROUPS_TESTS_MAX);
    struct groups_test *test = &p->q->tests[p->q->test_count];
    struct str value = text, left = str_trim(str_cut(&value, '='));
    struct str op = str_skip(left, item_end(left));
    bool has_op = str_starts(op, STR("__"));
    if (!value.p || (op.n && !has_op))
        return refuse(p, "having", "a test is written sum(positive)__gt=100", text);
    *test = (struct groups_test){.op = GROUPS_EXACT};
    if (!add_item(p, "having", str_trim(str_slice(left, 0, item_end(left))), &test->item) ||
        (has_op && !find_operator(p, str_skip(op, 2), &test->op)))
        return false;
    p->q->test_count++;
    value = str_trim(value);
    return test->op >= GROUPS_IS_NULL ? read_null_word(p, value, test)
                                      : read_bound(p, value, test);
}

/* ---- sort ---- */

/* By the key as it was asked, or by its column where that says which. */
static bool
find_key(const struct parse *p, struct str text, size_t *out)
{
    size_t found = 0;
    for (size_t i = 0; i < p->q->key_count; i++)
        if (str_eq(p->q->keys[i].label, text)) {
            *out = i;
            return true;
        }
    for (size_t i = 0; i < p->q->key_count; i++)
        if (str_eq(p->schema->columns[p->q->keys[i].column].name, text)) {
            *out = i;
            found++;
        }
    return found == 1;
}

static bool
refuse_order(struct parse *p, struct str text)
{
    struct suggestion near = suggest_begin(text);
    for (size_t i = 0; i < p->q->key_count; i++)
        suggest_offer(&near, p->q->keys[i].label);
    for (size_t i = 0; i < p->q->item_count; i++)
        suggest_offer(&near, p->q->items[i].label);
    return err_set_name(
        p->err, ERR_BAD_PARAMETER, NULL, STR("sort"),
        "sort: '%" STR_FMT
        "' is neither a column of by nor an aggregate as count or mean(price)%s",
        STR_ARG(str_slice(text, 0, SHOWN_BYTES)), suggest_text(&near));
}

static bool
parse_order(struct parse *p, struct str text)
{
    if (p->q->order_count == GROUPS_ORDERS_MAX)
        return err_set_name(p->err, ERR_BAD_PARAMETER, NULL, STR("sort"),
                            "sort: at most %d keys", GROUPS_ORDERS_MAX);
    struct groups_order *order = &p->q->orders[p->q->order_count++];
    order->is_descending = str_starts(text, STR("-"));
    text = str_trim(str_skip(text, order->is_descending));
    order->is_key = find_key(p, text, &order->index);
    if (order->is_key)
        return true;
    if (str_find_char(text, '(') < 0 && !str_eq(text, STR("count")))
        return refuse_order(p, text);
    return add_item(p, "sort", text, &order->index);
}

/* ---- all of it ---- */

/* Of a list that may be left out, each part. */
static bool
parse_each(struct parse *p, struct str list, bool (*parse_one)(struct parse *, struct str))
{
    if (list.n == 0)
        return true;
    while (list.p)
        if (!parse_one(p, str_trim(str_cut(&list, ','))))
            return false;
    return true;
}

bool
groups_parse(struct arena *a, const struct schema *schema, const struct groups_text *text,
             struct groups_question *out, struct err *err)
{
    *out = (struct groups_question){
        .stats = {.ddof = text->ddof, .is_unbiased = text->is_unbiased},
        .group_count_max = GROUPS_MAX,
        .hash = 1 + text->ddof * 2 + text->is_unbiased,
    };
    const struct str parts[] = {text->by, text->aggregate, text->having, text->sort};
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        out->hash = hash_bytes(parts[i], out->hash);
    struct parse p = {a, schema, out, err};
    return parse_by(&p, text->by_name, text->by) && parse_items(&p, text->aggregate) &&
           parse_each(&p, text->having, parse_test) && parse_each(&p, text->sort, parse_order);
}
