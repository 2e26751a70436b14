/* by, aggregate, having and sort over a tiny version: whatever they say, the question is
 * refused with the parameter's name, or answered, and then every row lies in a group, a page is
 * a chunk of the whole, and what is shown is named once. */
#include "base/utf8.h"
#include "embedded/groups.h"
#include "http/status.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROWS 70 /* more than a word of a bitmap */

static struct schema_column COLUMNS[] = {
    {.name = STR_INIT("id"), .header = STR_INIT("id"), .type = COLUMN_INTEGER},
    {.name = STR_INIT("price"), .header = STR_INIT("price"), .type = COLUMN_REAL},
    {.name = STR_INIT("free"), .header = STR_INIT("free"), .type = COLUMN_BOOLEAN},
    {.name = STR_INIT("day"), .header = STR_INIT("day"), .type = COLUMN_DATE},
    {.name = STR_INIT("seen"), .header = STR_INIT("seen"), .type = COLUMN_DATETIME},
    {.name = STR_INIT("count"), .header = STR_INIT("count"), .type = COLUMN_INTEGER},
    {.name = STR_INIT("tags"), .header = STR_INIT("tags"), .type = COLUMN_LIST},
};
static struct arena forever;

static void
fill_row(int64_t row, struct value *v)
{
    static const struct str ELEMENTS[] = {STR_INIT("a"), STR_INIT("B"), STR_INIT("a")};
    static const double PRICES[] = {0.1, -0.3, 1e300, -1e-300, 9007199254740992, 19.99};
    v[0].i = row % 9 == 0 ? INT64_MIN + row : row * 10;
    v[1].d = PRICES[row % 6];
    v[2].i = row % 2;
    v[3].i = row - 30;
    v[4].i = (row - 30) * 86399999;
    v[5].i = row % 9 == 1 ? INT64_MAX - row : -row;
    v[6].text = STR("a;B;a");
    v[6].elements = ELEMENTS;
    v[6].element_count = (size_t)row % 4;
    for (size_t c = 1; c <= 5; c++)
        v[c].is_null = row % 7 == (int64_t)c;
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
    version->common.schema =
        (struct schema){.columns = COLUMNS, .column_count = COUNT_OF(COLUMNS), .date_index = 3};
    embedded_version_prepare(&forever, version);
    return version;
}

static void
check_labels(const struct groups_question *q)
{
    struct str labels[GROUPS_KEYS_MAX + GROUPS_ITEMS_MAX];
    size_t count = 0;
    assert(q->key_count > 0 && q->shown_count > 0 && q->shown_count <= q->item_count);
    for (size_t i = 0; i < q->key_count; i++)
        labels[count++] = q->keys[i].label;
    for (size_t i = 0; i < q->shown_count; i++)
        labels[count++] = q->items[i].label;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            assert(!str_eq(labels[i], labels[k]));
}

static struct str
text_of_page(struct arena *a, const struct groups_result *result)
{
    struct err err = {0};
    scoped_buf out = {.max = 16 * MIB};
    for (size_t i = 0; i < result->group_count; i++) {
        struct groups_group group;
        bool is_read = embedded_groups_read(result, i, &group, &err);
        assert(is_read);
        groups_add_json_row(&out, result->question, &group);
    }
    return arena_str(a, buf_str(&out));
}

static void
check_answer(struct arena *a, const struct groups_question *q,
             const struct embedded_version *version)
{
    struct bitmap rows = bitmap_new_full(a, ROWS);
    struct groups_result all, page;
    struct err err = {0};
    bool is_run = embedded_groups_run(a, q, version, &rows, 0, 0, 0, &all, &err) &&
                  embedded_groups_run(a, q, version, &rows, 1, 3, 0, &page, &err);
    assert(is_run && all.group_count == all.total && page.total == all.total);
    struct str whole = text_of_page(a, &all), part = text_of_page(a, &page);
    assert(part.n == 0 || str_find(whole, part) > 0);
    uint64_t counted = 0;
    for (size_t i = 0; i < all.group_count; i++) {
        struct groups_group group;
        bool is_read = embedded_groups_read(&all, i, &group, &err);
        assert(is_read);
        counted += group.row_count;
    }
    assert(q->test_count > 0 || counted >= ROWS);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct embedded_version *version;
    scoped_arena a = {0};
    struct groups_question q;
    struct err err = {0};
    struct str rest = {(const char *)data, size};
    struct groups_text text = {.by_name = "by"};
    text.by = str_cut(&rest, '&');
    text.aggregate = str_cut(&rest, '&');
    text.having = str_cut(&rest, '&');
    text.sort = str_cut(&rest, '&');
    if (!version)
        version = make_version();
    if (!groups_parse(&a, &version->common.schema, &text, &q, &err)) {
        assert(http_status(&err) == 400 && err.name[0] != '\0');
        assert(utf8_is_valid(str_from(err.detail)));
        return 0;
    }
    check_labels(&q);
    check_answer(&a, &q, version);
    return 0;
}
