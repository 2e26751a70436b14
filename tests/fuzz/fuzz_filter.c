/* A query string of filters, q, sort, fields and cursor over a tiny version: whatever it says,
 * it is refused with a named parameter or answered with a page of its matches; the same filter
 * gives the same answer and hash again, and a filter asked for twice gives no more and no less.
 */
#include "base/utf8.h"
#include "embedded/engine.h"
#include "embedded/version.h"
#include "http/status.h"

#include <fcntl.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PARAMS_MAX 128
#define ROWS 70 /* more than a word of a bitmap */

static struct schema_column COLUMNS[] = {
    {.name = STR_INIT("id"), .header = STR_INIT("id"), .type = COLUMN_INTEGER},
    {.name = STR_INIT("price"), .header = STR_INIT("price"), .type = COLUMN_REAL},
    {.name = STR_INIT("free"), .header = STR_INIT("free"), .type = COLUMN_BOOLEAN},
    {.name = STR_INIT("day"), .header = STR_INIT("day"), .type = COLUMN_DATE},
    {.name = STR_INIT("seen"), .header = STR_INIT("seen"), .type = COLUMN_DATETIME},
    {.name = STR_INIT("name"), .header = STR_INIT("name"), .type = COLUMN_TEXT},
    {.name = STR_INIT("tags"), .header = STR_INIT("tags"), .type = COLUMN_LIST},
};
static struct arena forever;

static void
fill_row(int64_t row, struct value *v)
{
    static const struct str TEXTS[] = {STR_INIT(""), STR_INIT("Dragon"), STR_INIT("é,É"),
                                       STR_INIT("the dragon's long name")};
    static const struct str ELEMENTS[] = {STR_INIT("a"), STR_INIT("B"), STR_INIT("a")};
    v[0].i = row * 10;
    v[1].d = (double)row / 4;
    v[2].i = row % 2;
    v[3].i = row - 30;
    v[4].i = (row - 30) * 86399999;
    v[5].text = TEXTS[row % 4];
    v[6].text = STR("a;B;a");
    v[6].elements = ELEMENTS;
    v[6].element_count = (size_t)row % 4;
    for (size_t c = 1; c <= 4; c++)
        v[c].is_null = row % 5 == (int64_t)c;
}

static const struct embedded_version *
make_version(void)
{
    struct embedded_version *version = arena_new(&forever, struct embedded_version);
    struct columns_spec specs[COUNT_OF(COLUMNS)];
    struct column_summary summaries[COUNT_OF(COLUMNS)];
    struct err err = {0};
    scoped_fd fd = memfd_create("columns", MFD_CLOEXEC);
    for (size_t i = 0; i < COUNT_OF(COLUMNS); i++)
        specs[i] = (struct columns_spec){COLUMNS[i].type, 64 * ROWS};
    struct columns_builder *b = columns_build_begin(fd, specs, COUNT_OF(COLUMNS), ROWS, &err);
    assert(b);
    for (int64_t r = 0; r < ROWS; r++) {
        struct value row[COUNT_OF(COLUMNS)] = {0};
        fill_row(r, row);
        bool is_added = columns_build_add(b, row, &err);
        assert(is_added);
    }
    bool is_open = columns_build_finish(&b, summaries, &err) &&
                   columns_open(&forever, &version->columns, fd, &err);
    assert(is_open);
    version->common.schema = (struct schema){.columns = COLUMNS,
                                             .column_count = COUNT_OF(COLUMNS),
                                             .key_index = 0,
                                             .title_index = 5,
                                             .date_index = 3};
    version->common.info.number = 1;
    embedded_version_prepare(&forever, version);
    return version;
}

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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct embedded_version *version;
    scoped_arena a = {0};
    struct request request = {0};
    struct query query = {.limit = 10};
    struct query_result result;
    struct err err = {0};
    if (!version)
        version = make_version();
    struct ask ask = {.engine = &EMBEDDED_ENGINE, .arena = &a, .version = &version->common};
    read_request((struct str){(const char *)data, size}, &request);
    if (!parse(&ask, &request, &query, &err)) {
        assert(http_status(&err) == 400 || http_status(&err) == 410);
        assert(utf8_is_valid(str_from(err.detail)));
        return 0;
    }
    bool is_run = EMBEDDED_ENGINE.page(&ask, &query, &result, &err);
    assert(is_run && result.total <= ROWS && result.row_count <= 10);
    for (size_t i = 0; i < result.row_count; i++)
        assert(result.rows[i] < ROWS);
    check_again(&ask, &request, query.limit, &result);
    return 0;
}
