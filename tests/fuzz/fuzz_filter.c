/* A query string of filters, q, sort, fields and cursor over a tiny version: whatever it says,
 * it is refused with a named parameter or answered with a page of its matches; the same filter
 * gives the same answer and hash again, and a filter asked for twice gives no more and no less.
 */
#include "fuzz.h"
#include "tiny_version.h"

#include "base/utf8.h"
#include "embedded/engine.h"
#include "http/status.h"

#define PARAMS_MAX 128
struct request {
    struct param filters[2 * PARAMS_MAX];
    size_t filter_count;
    struct str q, sort, fields, cursor;
};

static void
read_request(struct str rest, struct request *out)
{
    while (rest.p && out->filter_count < PARAMS_MAX) {
        struct str value = str_cut(&rest, '&'), name = str_cut(&value, '=');
        if (str_eq(name, STR("q")))
            out->q = value;
        else if (str_eq(name, STR("sort")))
            out->sort = value;
        else if (str_eq(name, STR("fields")))
            out->fields = value;
        else if (str_eq(name, STR("cursor")))
            out->cursor = value;
        else
            out->filters[out->filter_count++] = (struct param){name, value};
    }
}

static bool
parse(struct ask *ask, const struct request *r, struct query *query, struct err *err)
{
    const struct schema *schema = &ask->version->schema;
    struct query_cursor cursor;
    struct filter *filter;
    if (!filter_parse(ask->arena, schema, r->filters, r->filter_count, STR("sort fields"), r->q,
                      &filter, err))
        return false;
    ask->filter = filter;
    ask->found = NULL;
    return query_parse_sort(schema, r->sort, query, err) &&
           query_parse_fields(ask->arena, schema, r->fields, query, err) &&
           (r->cursor.n == 0 || (query_parse_cursor(r->cursor, &cursor, err) &&
                                 query_use_cursor(query, ask, &cursor, err)));
}

static void
check_again(const struct ask *first, struct request *r, uint64_t limit,
            const struct query_result *result)
{
    struct query again = {.limit = limit};
    struct query_result same;
    struct query_cursor cursor;
    struct ask ask = *first;
    struct err err = {0};
    bool is_read = parse(&ask, r, &again, &err);
    assert(is_read && filter_hash(ask.filter) == filter_hash(first->filter));
    is_read = query_parse_cursor(query_make_cursor(&ask, &again, 3), &cursor, &err) &&
              query_use_cursor(&again, &ask, &cursor, &err);
    assert(is_read && again.offset == 3);
    for (size_t i = 0; i < r->filter_count; i++)
        r->filters[r->filter_count + i] = r->filters[i];
    r->filter_count *= 2;
    if (parse(&ask, r, &again, &err)) { /* else too many of them */
        bool is_run = EMBEDDED_ENGINE.page(&ask, &again, &same, &err);
        assert(is_run && same.total == result->total);
    }
}

static void
fuzz(struct arena *a, struct str input)
{
    const struct embedded_version *version = tiny_version();
    struct ask ask = {.engine = &EMBEDDED_ENGINE, .arena = a, .version = &version->common};
    struct request request = {0};
    struct query query = {.limit = 10};
    struct query_result result;
    struct err err = {0};
    read_request(input, &request);
    if (!parse(&ask, &request, &query, &err)) {
        assert(http_status(&err) == 400 || http_status(&err) == 410);
        assert(utf8_is_valid(str_from(err.detail)));
        return;
    }
    bool is_run = EMBEDDED_ENGINE.page(&ask, &query, &result, &err);
    assert(is_run && result.total <= TINY_ROWS && result.row_count <= 10);
    for (size_t i = 0; i < result.row_count; i++)
        assert(result.rows[i] < TINY_ROWS);
    check_again(&ask, &request, query.limit, &result);
}
