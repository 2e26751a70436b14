#include "embedded/page.h"

#include "embedded/order.h"

static void
take_in_row_order(const struct bitmap *rows, uint64_t offset, struct query_result *out)
{
    uint64_t row = bitmap_nth(rows, offset);
    for (size_t i = 0; i < out->row_count; i++) {
        out->rows[i] = row;
        row = bitmap_next(rows, row + 1);
    }
}

static void
take_sorted(struct arena *a, const struct query *query, const struct embedded_version *version,
            const struct bitmap *rows, uint64_t offset, struct query_result *out)
{
    struct order order = embedded_order_of(query, version);
    out->rows = arena_array(a, out->row_count, uint64_t);
    embedded_order_take_page(&order, rows, out->total, (size_t)offset, out->row_count,
                             out->rows);
}

void
embedded_page_take(struct arena *a, const struct query *query,
                   const struct embedded_version *version, const struct bitmap *rows,
                   struct query_result *out)
{
    struct query_result result = {.total = bitmap_count(rows)};
    uint64_t offset = MIN(query->offset, result.total);
    uint64_t left = result.total - offset;
    result.row_count = (size_t)(query->limit == 0 ? left : MIN(left, query->limit));
    result.has_more = result.row_count < left;
    if (query->sort_count > 0) {
        take_sorted(a, query, version, rows, offset, &result);
    } else {
        result.rows = arena_array(a, result.row_count, uint64_t);
        take_in_row_order(rows, offset, &result);
    }
    *out = result;
}

static bool
is_text(enum column_type type, bool lists_are_raw)
{
    return type == COLUMN_TEXT || (type == COLUMN_LIST && lists_are_raw);
}

/* To the front of `cells`, in the order of the fields.  Each text read is copied by SQLite, which
 * is why lists are left out where their elements are shown. */
static bool
read_texts(const struct embedded_version *version, const struct query *query, uint64_t row,
           size_t *count, struct err *err)
{
    struct embedded_room *room = version->room;
    *count = 0;
    for (size_t i = 0; i < query->field_count; i++)
        if (is_text(version->columns.columns[query->fields[i]].type, query->lists_are_raw))
            room->wanted[(*count)++] = query->fields[i];
    if (*count == 0)
        return true;
    int got = rows_get(version->rows, row + 1, room->wanted, *count, room->cells, err);
    if (got == 0)
        return err_set_code(err, ERR_BUSY, "index_damaged", "row %llu is not in rows.db",
                            (unsigned long long)row + 1);
    return got == 1;
}

static struct value
elements_of(struct arena *a, const struct column *c, uint64_t row)
{
    size_t count;
    const uint32_t *ids = column_element_ids(c, row, &count);
    struct str *elements = arena_array(a, count, struct str);
    for (size_t i = 0; i < count; i++)
        elements[i] = column_element(c, ids[i]);
    return (struct value){.elements = elements, .element_count = count};
}

bool
embedded_page_row(const struct embedded_version *version, const struct query *query,
                  uint64_t row, const struct value **out, struct err *err)
{
    struct embedded_room *room = version->room;
    size_t text_count;
    if (!read_texts(version, query, row, &text_count, err))
        return false;
    arena_reset(&room->arena);
    /* From behind: no text is overwritten before it has moved to its place. */
    for (size_t i = query->field_count; i-- > 0;) {
        const struct column *c = &version->columns.columns[query->fields[i]];
        if (is_text(c->type, query->lists_are_raw))
            room->cells[i] = room->cells[--text_count];
        else if (c->type == COLUMN_LIST)
            room->cells[i] = elements_of(&room->arena, c, row);
        else
            room->cells[i] = column_number(c, row);
    }
    *out = room->cells;
    return true;
}
