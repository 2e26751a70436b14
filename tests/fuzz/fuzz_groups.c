/* by, aggregate, having and sort over a tiny version: whatever they say, the question is
 * refused with the parameter's name, or answered, and then every row lies in a group, a page is
 * a chunk of the whole, and what is shown is named once. */
#include "fuzz.h"
#include "tiny_version.h"

#include "base/utf8.h"
#include "embedded/groups.h"
#include "http/status.h"

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
    struct bitmap rows = bitmap_new_full(a, TINY_ROWS);
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
    assert(q->test_count > 0 || counted >= TINY_ROWS);
}

static void
fuzz(struct arena *a, struct str input)
{
    struct embedded_version version = *tiny_version();
    version.common.schema.column_count--; /* a group of texts shows the text of a row */
    struct groups_question q;
    struct err err = {0};
    struct groups_text text = {.by_name = "by"};
    text.by = str_cut(&input, '&');
    text.aggregate = str_cut(&input, '&');
    text.having = str_cut(&input, '&');
    text.sort = str_cut(&input, '&');
    if (!groups_parse(a, &version.common.schema, &text, &q, &err)) {
        assert(http_status(&err) == 400 && err.name[0] != '\0');
        assert(utf8_is_valid(str_from(err.detail)));
        return;
    }
    check_labels(&q);
    check_answer(a, &q, &version);
}
