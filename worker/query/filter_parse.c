/* A parameter's name is read by this grammar, first line that fits:
 *
 *     name  = column                      the bare form
 *           | column "__" operator
 *           | "min_" column               column__gte
 *           | "max_" column               column__lte
 *           | "before" | "after"          lt, gt on the default date column
 *
 * A column's own name always wins, so a column named min_age is never shadowed by the alias of
 * a column age.  The value of in and notin is a JSON array when it reads as one, else a list
 * cut at commas.  A value that starts with [" must be a valid array, for no name starts so; one
 * that starts with [ alone may be a name, such as [REDACTED].  Blanks around a part may be part
 * of a name or only of the list, so both are looked for.
 */
#include "base/hash.h"
#include "base/utf8.h"
#include "query/filter_operator.h"
#include "json/read.h"

#include <stdio.h>
#include <stdlib.h>

struct target {
    size_t column;
    const struct filter_operator *op;
};

/* How other services call what a route may declare. */
static const struct synonym OTHER_WORDS[] = {
    {STR_INIT("page"), STR_INIT("cursor")},    {STR_INIT("offset"), STR_INIT("cursor")},
    {STR_INIT("skip"), STR_INIT("cursor")},    {STR_INIT("after_id"), STR_INIT("cursor")},
    {STR_INIT("per_page"), STR_INIT("limit")}, {STR_INIT("page_size"), STR_INIT("limit")},
    {STR_INIT("size"), STR_INIT("limit")},     {STR_INIT("order"), STR_INIT("sort")},
    {STR_INIT("order_by"), STR_INIT("sort")},  {STR_INIT("orderby"), STR_INIT("sort")},
    {STR_INIT("sort_by"), STR_INIT("sort")},   {STR_INIT("search"), STR_INIT("q")},
    {STR_INIT("query"), STR_INIT("q")},        {STR_INIT("select"), STR_INIT("fields")},
    {STR_INIT("columns"), STR_INIT("fields")},
};

struct alias {
    struct str word, operator;
};
/* Before a column's name, and for the default date column. */
static const struct alias PREFIXES[] = {{STR_INIT("min_"), STR_INIT("gte")},
                                        {STR_INIT("max_"), STR_INIT("lte")}};
static const struct alias DATES[] = {{STR_INIT("before"), STR_INIT("lt")},
                                     {STR_INIT("after"), STR_INIT("gt")}};

/* `bytes` holds an alias that is made up. */
static void
offer_aliases(struct suggestion *near, const struct schema *schema,
              char bytes[SUGGEST_BYTES_MAX])
{
    for (size_t i = 0; i < COUNT_OF(PREFIXES); i++) {
        struct str word = PREFIXES[i].word;
        if (!str_starts(near->wrong, word))
            continue;
        struct str column = schema_suggest(schema, str_skip(near->wrong, word.n)).best;
        snprintf(bytes, SUGGEST_BYTES_MAX, "%" STR_FMT "%" STR_FMT, STR_ARG(word),
                 STR_ARG(column));
        if (column.n)
            suggest_offer(near, str_from(bytes));
    }
    for (size_t i = 0; i < COUNT_OF(DATES) && schema->date_index != SCHEMA_ROW_NUMBER; i++)
        suggest_offer(near, DATES[i].word);
}

static bool
refuse_column(const struct schema *schema, struct str declared, struct str param,
              struct str column, struct err *err)
{
    struct suggestion near = schema_suggest(schema, column);
    while (declared.p) {
        struct str word = str_cut(&declared, ' ');
        for (size_t i = 0; i < COUNT_OF(OTHER_WORDS); i++)
            if (str_eq(word, OTHER_WORDS[i].ours))
                suggest_synonyms(&near, &OTHER_WORDS[i], 1);
        suggest_offer(&near, word);
    }
    char alias[SUGGEST_BYTES_MAX];
    offer_aliases(&near, schema, alias);
    return err_set_name(err, ERR_UNKNOWN_PARAMETER, NULL, param,
                        "there is no column '%" STR_FMT "'%s",
                        STR_ARG(str_slice(column, 0, 80)), suggest_text(&near));
}

static bool
refuse_operator(struct str param, const struct schema_column *column, struct str word,
                struct err *err)
{
    struct suggestion near = filter_operator_suggest(word, column->type);
    scoped_buf words;
    buf_init(&words, 256);
    filter_operator_add_words(&words, column->type);
    return err_set_name(err, ERR_UNKNOWN_PARAMETER, NULL, param,
                        "'%" STR_FMT "' is no operator of the %s column '%" STR_FMT
                        "'%s (it has: %" STR_FMT ")",
                        STR_ARG(str_slice(word, 0, 80)), column_type_name(column->type),
                        STR_ARG(column->name), suggest_text(&near), STR_ARG(buf_str(&words)));
}

/* Offset of the last "__", or -1: a column's name may hold one itself. */
static ptrdiff_t
find_split(struct str name)
{
    for (size_t i = name.n; i >= 2; i--)
        if (name.p[i - 1] == '_' && name.p[i - 2] == '_')
            return (ptrdiff_t)i - 2;
    return -1;
}

static bool
find_alias(const struct schema *schema, struct str name, struct target *out)
{
    for (size_t i = 0; i < COUNT_OF(PREFIXES); i++)
        if (str_starts(name, PREFIXES[i].word) &&
            schema_find(schema, str_skip(name, PREFIXES[i].word.n), &out->column)) {
            out->op = filter_operator_find(PREFIXES[i].operator);
            return true;
        }
    for (size_t i = 0; i < COUNT_OF(DATES); i++)
        if (str_eq(name, DATES[i].word) && schema->date_index != SCHEMA_ROW_NUMBER) {
            out->column = schema->date_index;
            out->op = filter_operator_find(DATES[i].operator);
            return true;
        }
    return false;
}

static bool
find_target(const struct schema *schema, struct str declared, struct str name,
            struct target *out, struct err *err)
{
    ptrdiff_t split = find_split(name);
    struct str column = str_slice(name, 0, split >= 0 ? (size_t)split : name.n);
    if (schema_find(schema, name, &out->column)) {
        out->op = filter_operator_bare(schema->columns[out->column].type);
        return true;
    }
    if (split >= 0 && schema_find(schema, column, &out->column)) {
        struct str word = str_skip(name, (size_t)split + 2);
        out->op = filter_operator_find(word);
        if (!out->op || !filter_operator_has(out->op, schema->columns[out->column].type))
            return refuse_operator(name, &schema->columns[out->column], word, err);
        return true;
    }
    if (!find_alias(schema, name, out))
        return refuse_column(schema, declared, name, column, err);
    if (!filter_operator_has(out->op, schema->columns[out->column].type))
        return refuse_operator(name, &schema->columns[out->column], out->op->word, err);
    return true;
}

static bool
check_value(struct str param, struct str value, struct err *err)
{
    if (value.n > FILTER_VALUE_BYTES)
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, param,
                            "%" STR_FMT ": a value has at most %d bytes, got %zu",
                            STR_ARG(param), FILTER_VALUE_BYTES, value.n);
    if (!utf8_is_valid(value))
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, param,
                            "%" STR_FMT ": the value is not valid UTF-8", STR_ARG(param));
    return true;
}

static bool
read_array(struct arena *a, const struct param *param, const struct json_value *array,
           struct str **out, size_t *out_count, struct err *err)
{
    *out = arena_array(a, array->child_count, struct str);
    for (size_t i = 0; i < array->child_count; i++) {
        const struct json_value *item = &array->children[i];
        if (item->kind == JSON_BOOL)
            (*out)[i] = item->boolean ? STR("true") : STR("false");
        else if (item->kind == JSON_STRING || item->kind == JSON_NUMBER)
            (*out)[i] = item->text;
        else
            return err_set_name(err, ERR_BAD_PARAMETER, NULL, param->name,
                                "%" STR_FMT ": item %zu of the array is no string, number or "
                                "boolean (nulls are found by isnull)",
                                STR_ARG(param->name), i + 1);
    }
    *out_count = array->child_count;
    return true;
}

static void
read_commas(struct arena *a, struct str rest, struct str **out, size_t *out_count)
{
    size_t parts_max = 1, count = 0;
    for (size_t i = 0; i < rest.n; i++)
        parts_max += rest.p[i] == ',';
    struct str *parts = arena_array(a, 2 * parts_max, struct str);
    for (size_t i = 0; i < parts_max; i++) {
        struct str part = str_cut(&rest, ','), trimmed = str_trim(part);
        parts[count++] = part;
        if (trimmed.n < part.n)
            parts[count++] = trimmed;
    }
    *out = parts;
    *out_count = count;
}

/* The values that an operator asks for: one, or those of a list. */
static bool
read_values(struct arena *a, const struct param *param, enum filter_takes takes,
            struct str **out, size_t *out_count, struct err *err)
{
    struct str text = str_trim(param->value);
    const struct json_value *array;
    struct err cause = {0};
    if (takes != FILTER_TAKES_MANY) {
        *out = arena_new(a, struct str);
        **out = param->value;
        *out_count = 1;
        return true;
    }
    if (str_starts(text, STR("["))) {
        if (json_read(a, text, &array, &cause) && array->kind == JSON_ARRAY)
            return read_array(a, param, array, out, out_count, err);
        if (str_starts(str_trim(str_skip(text, 1)), STR("\"")))
            return err_set_name(err, ERR_BAD_PARAMETER, NULL, param->name,
                                "%" STR_FMT ": the value is not a JSON array: %s",
                                STR_ARG(param->name), cause.detail);
    }
    read_commas(a, param->value, out, out_count);
    return true;
}

static int
compare_ints(const void *a, const void *b)
{
    const struct filter_test *x = a, *y = b;
    return (x->ints.lo > y->ints.lo) - (x->ints.lo < y->ints.lo);
}

static int
compare_needles(const void *a, const void *b)
{
    const struct filter_test *x = a, *y = b;
    return str_cmp(x->needle, y->needle);
}

/* The order that struct predicate promises.  Spans of one operator are single values or whole
 * days, so those that overlap are equal. */
static void
order_tests(struct predicate *p)
{
    int (*compare)(const void *, const void *) =
        p->kind == PREDICATE_INTS ? compare_ints : compare_needles;
    size_t kept = 0;
    if (p->test_count < 2 || p->kind == PREDICATE_REALS)
        return;
    qsort(p->tests, p->test_count, sizeof(*p->tests), compare);
    for (size_t i = 1; i < p->test_count; i++)
        if (compare(&p->tests[kept], &p->tests[i]) != 0)
            p->tests[++kept] = p->tests[i];
    p->test_count = kept + 1;
}

static bool
parse_param(struct arena *a, const struct schema *schema, struct str declared,
            const struct param *param, struct predicate *p, struct err *err)
{
    struct target target;
    struct str *values = NULL;
    size_t value_count = 0;
    if (!find_target(schema, declared, param->name, &target, err) ||
        !read_values(a, param, target.op->takes, &values, &value_count, err))
        return false;
    if (value_count > FILTER_VALUES_MAX)
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, param->name,
                            "%" STR_FMT ": at most %d values, got %zu", STR_ARG(param->name),
                            FILTER_VALUES_MAX, value_count);
    const struct schema_column *column = &schema->columns[target.column];
    struct filter_argument argument = {.param = param->name, .op = target.op, .column = column};
    uint64_t hash = hash_bytes(target.op->word, hash_bytes(column->name, 0));
    *p = (struct predicate){
        .column = target.column,
        .is_negated = target.op->is_negated,
        .kind = PREDICATE_INTS, /* with no tests: matches nothing, whatever the type */
        .tests = arena_array(a, value_count, struct filter_test),
        .hash = hash_bytes(param->value, hash),
    };
    for (size_t i = 0; i < value_count; i++) {
        argument.value = values[i];
        if (!check_value(param->name, argument.value, err) ||
            !target.op->add(a, p, &argument, err))
            return false;
    }
    order_tests(p);
    return true;
}

/* Bytes of the blank that `s` starts with: ASCII blanks, no-break space, ideographic space. */
static size_t
blank_bytes(struct str s)
{
    static const struct str WIDE[] = {STR_INIT("\xc2\xa0"), STR_INIT("\xe3\x80\x80")};
    if (s.n > 0 && str_trim(str_slice(s, 0, 1)).n == 0)
        return 1;
    for (size_t i = 0; i < COUNT_OF(WIDE); i++)
        if (str_starts(s, WIDE[i]))
            return WIDE[i].n;
    return 0;
}

/* The next word, cut off `*rest`; empty at the end. */
static struct str
cut_word(struct str *rest)
{
    size_t n = 0;
    for (size_t blank; (blank = blank_bytes(*rest)) > 0;)
        *rest = str_skip(*rest, blank);
    while (n < rest->n && blank_bytes(str_skip(*rest, n)) == 0)
        n++;
    struct str word = str_slice(*rest, 0, n);
    *rest = str_skip(*rest, n);
    return word;
}

static bool
parse_words(struct arena *a, struct str q, struct filter *filter, struct err *err)
{
    struct str word;
    size_t count = 0;
    if (!check_value(STR("q"), q, err))
        return false;
    while ((word = cut_word(&q)).n > 0) {
        if (count++ == FILTER_WORDS_MAX)
            return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("q"), "q: at most %d words",
                                FILTER_WORDS_MAX);
        struct filter_test *test = arena_new(a, struct filter_test);
        test->needle = utf8_folded(a, word);
        filter->predicates[filter->predicate_count++] =
            (struct predicate){.column = FILTER_ANY_TEXT,
                               .kind = PREDICATE_TEXT,
                               .match = MATCH_CONTAINS,
                               .tests = test,
                               .test_count = 1,
                               .hash = hash_bytes(test->needle, 1)};
    }
    return true;
}

bool
filter_parse(struct arena *a, const struct schema *schema, const struct param *params,
             size_t param_count, struct str declared, struct str q, struct filter **out,
             struct err *err)
{
    struct filter *filter = arena_new(a, struct filter);
    if (param_count > FILTER_PARAMS_MAX)
        return err_set(err, ERR_BAD_PARAMETER, "at most %d filters, got %zu", FILTER_PARAMS_MAX,
                       param_count);
    filter->predicates = arena_array(a, param_count + FILTER_WORDS_MAX, struct predicate);
    for (size_t i = 0; i < param_count; i++)
        if (!parse_param(a, schema, declared, &params[i], &filter->predicates[i], err))
            return false;
    filter->predicate_count = param_count;
    if (!parse_words(a, q, filter, err))
        return false;
    /* The names bind a cursor to its dataset even where nothing is filtered; the sum makes the
     * order of parameters irrelevant, as it is to the answer. */
    for (size_t i = 0; i < schema->column_count; i++)
        filter->hash = hash_bytes(schema->columns[i].name, filter->hash);
    for (size_t i = 0; i < filter->predicate_count; i++)
        filter->hash += hash_u64(filter->predicates[i].hash, 0);
    *out = filter;
    return true;
}

uint64_t
filter_hash(const struct filter *filter)
{
    return filter->hash;
}
