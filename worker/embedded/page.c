#include "embedded/page.h"

#include "embedded/engine.h"
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

bool
embedded_page_take(struct ask *ask, const struct query *query, struct query_result *out,
                   struct err *err)
{
    const struct bitmap *rows;
    if (!embedded_find_rows(ask, &rows, err))
        return false;
    struct query_result result = {.total = bitmap_count(rows)};
    uint64_t offset = MIN(query->offset, result.total);
    uint64_t left = result.total - offset;
    result.row_count = (size_t)(query->limit == 0 ? left : MIN(left, query->limit));
    result.has_more = result.row_count < left;
    result.rows = arena_array(ask->arena, result.row_count, uint64_t);
    if (query->sort_count > 0) {
        struct order order = embedded_order_of(query, embedded_version_of(ask));
        embedded_order_take_page(&order, rows, result.total, (size_t)offset, result.row_count,
                                 result.rows);
    } else
        take_in_row_order(rows, offset, &result);
    *out = result;
    return true;
}

static bool
is_text(enum column_type type, bool lists_are_raw)
{
    return type == COLUMN_TEXT || (type == COLUMN_LIST && lists_are_raw);
}

/* To the front of `cells`, in the order of the fields.  Each text read is copied by SQLite,
 * which is why lists are left out where their elements are shown. */
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

static void
show_elements(struct arena *a, const struct column *c, uint64_t row, struct value *out)
{
    const uint32_t *ids = column_element_ids(c, row, &out->element_count);
    struct str *elements = arena_array(a, out->element_count, struct str);
    for (size_t i = 0; i < out->element_count; i++)
        elements[i] = column_element(c, ids[i]);
    out->elements = elements;
}

static void
show_number(const struct column *c, uint64_t row, struct value *out)
{
    struct value number = column_number(c, row);
    out->is_null = number.is_null;
    out->i = number.i; /* or the real in its place */
}

/* Of a cell only the members that its type has are written: all of them take 4 to 7 % of an
 * export (CSV, NDJSON of games). */
bool
embedded_page_row(struct ask *ask, const struct query *query, const uint64_t *rows,
                  size_t count UNUSED, size_t i, const struct value **out, struct err *err)
{
    const struct embedded_version *version = embedded_version_of(ask);
    uint64_t row = rows[i];
    struct embedded_room *room = version->room;
    size_t text_count;
    if (!read_texts(version, query, row, &text_count, err))
        return false;
    arena_reset(&room->arena);
    /* From behind: no text is overwritten before it has moved to its place. */
    for (size_t field = query->field_count; field-- > 0;) {
        const struct column *c = &version->columns.columns[query->fields[field]];
        struct value *cell = &room->cells[field];
        if (is_text(c->type, query->lists_are_raw))
            cell->text = room->cells[--text_count].text;
        else if (c->type == COLUMN_LIST)
            show_elements(&room->arena, c, row, cell);
        else
            show_number(c, row, cell);
    }
    *out = room->cells;
    return true;
}
