/* See stats.h: what is asked for, and what a type has. */
#include "query/stats.h"

#include "base/num.h"
#include "base/suggest.h"

static const struct str WORDS[] = {
#define X(aggregate, word) [aggregate] = STR_INIT(word),
    STATS_AGGREGATES(X)
#undef X
};

#define BIT(aggregate) (UINT32_C(1) << (aggregate))
#define ALL (BIT(STATS_AGGREGATE_COUNT) - 1)
#define COUNTS (BIT(STATS_COUNT) | BIT(STATS_NULLS) | BIT(STATS_DISTINCT))
#define OF_DAYS                                                                                \
    (COUNTS | BIT(STATS_MIN) | BIT(STATS_MAX) | BIT(STATS_RANGE) | BIT(STATS_MEDIAN))

uint32_t
stats_aggregates_of(enum column_type type)
{
    if (column_type_is_textual(type))
        return COUNTS;
    return type == COLUMN_DATE || type == COLUMN_DATETIME ? OF_DAYS : ALL;
}

struct str
stats_aggregate_name(enum stats_aggregate aggregate)
{
    return WORDS[aggregate];
}

bool
stats_aggregate_find(struct str word, enum stats_aggregate *out)
{
    for (size_t i = 0; i < COUNT_OF(WORDS); i++)
        if (str_eq(word, WORDS[i])) {
            *out = (enum stats_aggregate)i;
            return true;
        }
    return false;
}

void
stats_add_aggregates_of(struct buf *out, enum column_type type)
{
    size_t start = out->n;
    for (size_t i = 0; i < COUNT_OF(WORDS); i++)
        if (stats_aggregates_of(type) & BIT(i)) {
            buf_add(out, out->n > start ? STR(", ") : STR(""));
            buf_add(out, WORDS[i]);
        }
}

bool
stats_refuse_aggregate(const char *param, const char *also, struct str word, struct err *err)
{
    static const struct synonym SYNONYMS[] = {
        {STR_INIT("avg"), STR_INIT("mean")},
        {STR_INIT("average"), STR_INIT("mean")},
        {STR_INIT("stddev"), STR_INIT("std_dev")},
        {STR_INIT("stdev"), STR_INIT("std_dev")},
        {STR_INIT("sd"), STR_INIT("std_dev")},
        {STR_INIT("total"), STR_INIT("sum")},
        {STR_INIT("quantiles"), STR_INIT("percentiles")},
    };
    struct suggestion near = suggest_begin(word);
    scoped_buf words;
    buf_init(&words, KIB);
    suggest_synonyms(&near, SYNONYMS, COUNT_OF(SYNONYMS));
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        suggest_offer(&near, WORDS[i]);
        buf_printf(&words, " %" STR_FMT, STR_ARG(WORDS[i]));
    }
    return err_set_name(err, ERR_BAD_PARAMETER, NULL, str_from(param),
                        "there is no aggregate '%" STR_FMT "'%s (there are:%s%" STR_FMT ")",
                        STR_ARG(str_slice(word, 0, 80)), suggest_text(&near), also,
                        STR_ARG(buf_str(&words)));
}

static bool
parse_aggregates(struct str text, uint32_t *out, struct err *err)
{
    uint32_t bits = 0;
    if (text.n == 0)
        text = STR("all");
    while (text.p) {
        struct str word = str_trim(str_cut(&text, ','));
        enum stats_aggregate found;
        if (stats_aggregate_find(word, &found))
            bits |= BIT(found);
        else if (str_eq(word, STR("all")))
            bits |= ALL;
        else
            return stats_refuse_aggregate("aggregate", " all", word, err);
    }
    *out = bits;
    return true;
}

/* 1st 2nd 3rd 4th 11th 12th 21st 99.9th */
static struct str
ordinal(struct arena *a, double percent)
{
    scoped_buf text = {.max = 64};
    num_add_f64(&text, percent);
    static const char *const SUFFIXES[] = {"th", "st", "nd", "rd"};
    int whole = (int)percent, ones = whole % 10;
    bool has_own = percent == whole && ones <= 3 && (whole % 100 < 11 || whole % 100 > 13);
    return arena_printf(a, "%" STR_FMT "%s", STR_ARG(buf_str(&text)),
                        SUFFIXES[has_own ? ones : 0]);
}

static bool
add_percentile(struct arena *a, struct stats_request *r, struct str text, struct err *err)
{
    double percent;
    if (!num_parse_f64(text, &percent) || !(percent >= 0 && percent <= 100))
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("percentiles"),
                            "a percentile is a number from 0 to 100, got '%" STR_FMT "'",
                            STR_ARG(text));
    percent += 0.0; /* no negative zero */
    for (size_t i = 0; i < r->percentile_count; i++)
        if (r->percentiles[i] == percent)
            return true;
    if (r->percentile_count == STATS_PERCENTILES_MAX)
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("percentiles"),
                            "at most %d percentiles can be asked for at once",
                            STATS_PERCENTILES_MAX);
    r->percentile_names[r->percentile_count] = ordinal(a, percent);
    r->percentiles[r->percentile_count++] = percent;
    return true;
}

bool
stats_parse(struct arena *a, struct str aggregate, struct str percentiles, unsigned ddof,
            bool is_unbiased, struct stats_request *out, struct err *err)
{
    struct stats_request r = {.ddof = ddof, .is_unbiased = is_unbiased};
    if (ddof > 1)
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("ddof"), "ddof is 0 or 1, got %u",
                            ddof);
    if (!parse_aggregates(aggregate, &r.aggregates, err))
        return false;
    if (percentiles.n == 0)
        percentiles = STR("25,50,75");
    while (percentiles.p)
        if (!add_percentile(a, &r, str_trim(str_cut(&percentiles, ',')), err))
            return false;
    *out = r;
    return true;
}

bool
stats_check(const struct stats_request *request, const struct schema_column *column,
            bool is_all, struct err *err)
{
    uint32_t missing = request->aggregates & ~stats_aggregates_of(column->type);
    if (is_all || !missing)
        return true;
    scoped_buf has = {.max = KIB};
    stats_add_aggregates_of(&has, column->type);
    return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("aggregate"),
                        "the column %" STR_FMT " is of type %s and has no %" STR_FMT
                        "; it has %" STR_FMT,
                        STR_ARG(column->name), column_type_name(column->type),
                        STR_ARG(WORDS[__builtin_ctz(missing)]), STR_ARG(buf_str(&has)));
}
