/* An operator does not look at rows: it turns its value into a test of
 * the kind that its column's type is scanned by. */
#include "query/filter_operator.h"

#include "base/num.h"
#include "base/utf8.h"
#include "query/filter_value.h"

#include <math.h>

#define SHOWN_BYTES 80 /* of a bad value in a message */

#define TYPE(type) (1U << (type))
#define TEXTUAL (TYPE(COLUMN_TEXT) | TYPE(COLUMN_LIST))
#define ORDERED                                                                                \
    (TYPE(COLUMN_INTEGER) | TYPE(COLUMN_REAL) | TYPE(COLUMN_DATE) | TYPE(COLUMN_DATETIME) |    \
     TYPE(COLUMN_TEXT))
#define EVERY (ORDERED | TEXTUAL | TYPE(COLUMN_BOOLEAN))

static bool
refuse(const struct filter_argument *argument, struct err *err)
{
    struct str shown = str_slice(argument->value, 0, SHOWN_BYTES);
    return err_set_name(err, ERR_BAD_PARAMETER, NULL, argument->param,
                        "%" STR_FMT ": '%" STR_FMT "%s' is not %s", STR_ARG(argument->param),
                        STR_ARG(shown), shown.n < argument->value.n ? "..." : "",
                        filter_value_rule(argument->column->type));
}

static struct filter_test *
append(struct predicate *predicate, enum predicate_kind kind)
{
    predicate->kind = kind;
    return &predicate->tests[predicate->test_count++];
}

static void
append_ints(struct predicate *predicate, filter_wide lo, filter_wide hi)
{
    struct filter_test *test = append(predicate, PREDICATE_INTS);
    lo = MAX(lo, INT64_MIN);
    hi = MIN(hi, INT64_MAX);
    test->ints.lo = lo <= hi ? (int64_t)lo : 1;
    test->ints.hi = lo <= hi ? (int64_t)hi : 0;
}

static void
append_reals(struct predicate *predicate, double lo, bool lo_open, double hi, bool hi_open)
{
    struct filter_test *test = append(predicate, PREDICATE_REALS);
    test->reals.lo = lo;
    test->reals.lo_open = lo_open;
    test->reals.hi = hi;
    test->reals.hi_open = hi_open;
}

static void
append_needle(struct arena *a, struct predicate *predicate, enum predicate_kind kind,
              enum match match, struct str value)
{
    predicate->match = match;
    append(predicate, kind)->needle = utf8_folded(a, value);
}

static bool
add_exact(struct arena *a, struct predicate *predicate, const struct filter_argument *argument,
          struct err *err)
{
    enum column_type type = argument->column->type;
    struct filter_span span;
    double real;
    if (column_type_is_textual(type)) {
        append_needle(a, predicate, type == COLUMN_LIST ? PREDICATE_LIST : PREDICATE_TEXT,
                      MATCH_EQUALS, argument->value);
    } else if (type == COLUMN_REAL) {
        if (!num_parse_f64(str_trim(argument->value), &real))
            return refuse(argument, err);
        append_reals(predicate, real, false, real, false);
    } else {
        /* An empty span is a number between two integers: fine as a bound, but a mistake here.
         */
        if (!filter_read_span(type, argument->value, &span) || span.lo > span.hi)
            return refuse(argument, err);
        append_ints(predicate, span.lo, span.hi);
    }
    return true;
}

static bool
add_order(struct arena *a, struct predicate *predicate, const struct filter_argument *argument,
          struct err *err)
{
    enum column_type type = argument->column->type;
    enum match_order order = argument->op->order;
    bool is_below = order == MATCH_LESS || order == MATCH_LESS_EQUAL;
    bool is_open = order == MATCH_LESS || order == MATCH_GREATER;
    struct filter_span span;
    double real;
    if (type == COLUMN_TEXT) {
        predicate->order = order;
        append(predicate, PREDICATE_TEXT_ORDER)->needle = utf8_folded(a, argument->value);
    } else if (type == COLUMN_REAL) {
        if (!num_parse_f64(str_trim(argument->value), &real))
            return refuse(argument, err);
        append_reals(predicate, is_below ? -INFINITY : real, !is_below && is_open,
                     is_below ? real : INFINITY, is_below && is_open);
    } else {
        if (!filter_read_span(type, argument->value, &span))
            return refuse(argument, err);
        if (is_below)
            append_ints(predicate, INT64_MIN, is_open ? span.lo - 1 : span.hi);
        else
            append_ints(predicate, is_open ? span.hi + 1 : span.lo, INT64_MAX);
    }
    return true;
}

/* An element of a list starts or ends with the text, but it is the list's raw text that
 * contains it: "['English', 'French']" contains "english', 'fr". */
static bool
add_part(struct arena *a, struct predicate *predicate, const struct filter_argument *argument,
         struct err *err UNUSED)
{
    enum match match = argument->op->match;
    bool is_of_element = argument->column->type == COLUMN_LIST && match != MATCH_CONTAINS;
    append_needle(a, predicate, is_of_element ? PREDICATE_LIST : PREDICATE_TEXT, match,
                  argument->value);
    return true;
}

/* isnull=false is notnull=true. */
static bool
add_null(struct arena *a UNUSED, struct predicate *predicate,
         const struct filter_argument *argument, struct err *err)
{
    bool flag;
    if (!filter_read_flag(argument->value, &flag))
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, argument->param,
                            "%" STR_FMT ": '%" STR_FMT "' is not true or false",
                            STR_ARG(argument->param),
                            STR_ARG(str_slice(argument->value, 0, SHOWN_BYTES)));
    predicate->kind = PREDICATE_NULL;
    if (!flag)
        predicate->is_negated = !predicate->is_negated;
    return true;
}

static const struct filter_operator OPERATORS[] = {
    {STR_INIT("exact"), EVERY, add_exact, .takes = FILTER_TAKES_ONE},
    {STR_INIT("not"), EVERY, add_exact, .is_negated = true},
    {STR_INIT("gt"), ORDERED, add_order, .order = MATCH_GREATER},
    {STR_INIT("gte"), ORDERED, add_order, .order = MATCH_GREATER_EQUAL},
    {STR_INIT("lt"), ORDERED, add_order, .order = MATCH_LESS},
    {STR_INIT("lte"), ORDERED, add_order, .order = MATCH_LESS_EQUAL},
    {STR_INIT("contains"), TEXTUAL, add_part, .match = MATCH_CONTAINS},
    {STR_INIT("notcontains"), TEXTUAL, add_part, .match = MATCH_CONTAINS, .is_negated = true},
    {STR_INIT("startswith"), TEXTUAL, add_part, .match = MATCH_STARTS},
    {STR_INIT("endswith"), TEXTUAL, add_part, .match = MATCH_ENDS},
    {STR_INIT("in"), EVERY, add_exact, .takes = FILTER_TAKES_MANY},
    {STR_INIT("notin"), EVERY, add_exact, .takes = FILTER_TAKES_MANY, .is_negated = true},
    {STR_INIT("has"), TYPE(COLUMN_LIST), add_exact, .takes = FILTER_TAKES_ONE},
    {STR_INIT("isnull"), EVERY, add_null, .takes = FILTER_TAKES_FLAG},
    {STR_INIT("notnull"), EVERY, add_null, .takes = FILTER_TAKES_FLAG, .is_negated = true},
};

const struct filter_operator *
filter_operator_find(struct str word)
{
    for (size_t i = 0; i < COUNT_OF(OPERATORS); i++)
        if (str_eq(word, OPERATORS[i].word))
            return &OPERATORS[i];
    return NULL;
}

const struct filter_operator *
filter_operator_bare(enum column_type type)
{
    return filter_operator_find(column_type_is_textual(type) ? STR("contains") : STR("exact"));
}

bool
filter_operator_has(const struct filter_operator *op, enum column_type type)
{
    return (op->types & TYPE(type)) != 0;
}

/* How PostgREST, Django, SQL and shells call them. */
static const struct synonym SYNONYMS[] = {
    {STR_INIT("eq"), STR_INIT("exact")},        {STR_INIT("iexact"), STR_INIT("exact")},
    {STR_INIT("is"), STR_INIT("exact")},        {STR_INIT("ne"), STR_INIT("not")},
    {STR_INIT("neq"), STR_INIT("not")},         {STR_INIT("ge"), STR_INIT("gte")},
    {STR_INIT("le"), STR_INIT("lte")},          {STR_INIT("min"), STR_INIT("gte")},
    {STR_INIT("max"), STR_INIT("lte")},         {STR_INIT("like"), STR_INIT("contains")},
    {STR_INIT("ilike"), STR_INIT("contains")},  {STR_INIT("icontains"), STR_INIT("contains")},
    {STR_INIT("includes"), STR_INIT("has")},    {STR_INIT("prefix"), STR_INIT("startswith")},
    {STR_INIT("suffix"), STR_INIT("endswith")}, {STR_INIT("null"), STR_INIT("isnull")},
    {STR_INIT("empty"), STR_INIT("isnull")},
};

struct suggestion
filter_operator_suggest(struct str word, enum column_type type)
{
    struct suggestion near = suggest_begin(word);
    for (size_t i = 0; i < COUNT_OF(SYNONYMS); i++) {
        const struct filter_operator *op = filter_operator_find(SYNONYMS[i].ours);
        if (filter_operator_has(op, type))
            suggest_synonyms(&near, &SYNONYMS[i], 1);
    }
    for (size_t i = 0; i < COUNT_OF(OPERATORS); i++)
        if (filter_operator_has(&OPERATORS[i], type))
            suggest_offer(&near, OPERATORS[i].word);
    return near;
}

void
filter_operator_add_words(struct buf *out, enum column_type type)
{
    for (size_t i = 0; i < COUNT_OF(OPERATORS); i++)
        if (filter_operator_has(&OPERATORS[i], type)) {
            if (out->n > 0)
                buf_add_char(out, ' ');
            buf_add(out, OPERATORS[i].word);
        }
}
