/* A query string of filters, q, sort, fields and cursor over a tiny version: whatever it says,
 * it is refused with a named parameter or answered with a page of its matches; the same filter
 * gives the same answer and hash again, and a filter asked for twice gives no more and no less.
 */
#include "fuzz.h"
#include "tiny_version.h"

#include "base/utf8.h"
#include "query/query.h"

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
parse(struct arena *a, const struct version *version, const struct request *r,
      struct query *query, struct err *err)
{
    return filter_parse(a, &version->schema, r->filters, r->filter_count, STR("sort fields"),
                        r->q, &query->filter, err) &&
           query_parse_sort(&version->schema, r->sort, query, err) &&
           query_parse_fields(a, &version->schema, r->fields, query, err) &&
           (r->cursor.n == 0 || query_use_cursor(query, r->cursor, 1, err));
}

static void
check_again(struct arena *a, const struct version *version, struct request *r,
            const struct query *first, const struct query_result *result)
{
    struct query again = {.limit = first->limit};
    struct query_result same;
    struct err err = {0};
    bool is_read = parse(a, version, r, &again, &err);
    assert(is_read && filter_hash(again.filter) == filter_hash(first->filter));
    struct str cursor = query_make_cursor(a, &again, 1, 3);
    is_read = query_use_cursor(&again, cursor, 1, &err);
    assert(is_read && again.offset == 3);
    for (size_t i = 0; i < r->filter_count; i++)
        r->filters[r->filter_count + i] = r->filters[i];
    r->filter_count *= 2;
    if (parse(a, version, r, &again, &err)) { /* else too many of them */
        bool is_run = query_run(a, &again, version, 0, &same, &err);
        assert(is_run && same.total == result->total);
    }
}

static void
fuzz(struct arena *a, struct str input)
{
    const struct version *version = tiny_version();
    struct request request = {0};
    struct query query = {.limit = 10};
    struct query_result result;
    struct err err = {0};
    read_request(input, &request);
    if (!parse(a, version, &request, &query, &err)) {
        assert(err_status(&err) == 400 || err_status(&err) == 410);
        assert(utf8_is_valid(str_from(err.detail)));
        return;
    }
    bool is_run = query_run(a, &query, version, 0, &result, &err);
    assert(is_run && result.total <= TINY_ROWS && result.row_count <= 10);
    for (size_t i = 0; i < result.row_count; i++)
        assert(result.rows[i] < TINY_ROWS);
    check_again(a, version, &request, &query, &result);
}
