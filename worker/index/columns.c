/* At open every section is found and its size held against the row count, so
 * that arrays can be indexed by row without another check.  What stands in the arrays is
 * another matter: an accessor clamps every offset it reads, which costs a comparison and keeps
 * a damaged file from ever leading outside the map. */
#include "index/columns.h"

#include "index/columns_format.h"
#include "index/container.h"

#include <string.h>

/* `count` elements of 8 bytes, without trusting the product. */
static bool
is_array_of(struct str section, size_t element_bytes, uint64_t count)
{
    return section.n % element_bytes == 0 && section.n / element_bytes == count;
}

static bool
open_offsets(const struct container *c, uint32_t kind, uint32_t column, uint64_t count,
             const uint64_t **out, struct err *err)
{
    struct str section = container_find(c, kind, column);
    if (section.n < sizeof(uint64_t) ||
        !is_array_of(str_skip(section, sizeof(uint64_t)), sizeof(uint64_t), count))
        return container_damaged(err, "section %u of column %u has %zu bytes", kind, column,
                                 section.n);
    *out = (const uint64_t *)section.p;
    return true;
}

static bool
open_fixed(const struct container *c, uint32_t index, struct column *column, struct err *err)
{
    struct str values = container_find(c, SECTION_VALUES, index);
    struct str nulls = container_find(c, SECTION_NULLS, index);
    if (!values.p || !is_array_of(values, sizeof(int64_t), column->row_count))
        return container_damaged(err, "the values of column %u have %zu bytes", index,
                                 values.n);
    if (nulls.p && !is_array_of(nulls, sizeof(uint64_t), bitmap_word_count(column->row_count)))
        return container_damaged(err, "the nulls of column %u have %zu bytes", index, nulls.n);
    if (column->type == COLUMN_REAL)
        column->reals = (const double *)values.p;
    else
        column->ints = (const int64_t *)values.p;
    column->nulls = (const uint64_t *)nulls.p;
    return true;
}

static bool
open_text(const struct container *c, uint32_t index, struct column *column, struct err *err)
{
    struct str prefixes = container_find(c, SECTION_PREFIXES, index);
    struct str hashes = container_find(c, SECTION_HASHES, index);
    column->text.bytes = container_find(c, SECTION_TEXT, index);
    if (!column->text.bytes.p || !prefixes.p || !hashes.p ||
        !is_array_of(prefixes, sizeof(uint64_t), column->row_count) ||
        !is_array_of(hashes, sizeof(uint64_t), column->row_count))
        return container_damaged(err, "the text of column %u is incomplete", index);
    column->text.prefixes = (const uint64_t *)prefixes.p;
    column->text.hashes = (const uint64_t *)hashes.p;
    return open_offsets(c, SECTION_OFFSETS, index, column->row_count, &column->text.offsets,
                        err);
}

static bool
open_list(const struct container *c, uint32_t index, struct column *column, struct err *err)
{
    struct str ids = container_find(c, SECTION_IDS, index);
    uint64_t count = container_find(c, SECTION_ELEMENT_OFFSETS, index).n / sizeof(uint64_t) - 1;
    column->list.bytes = container_find(c, SECTION_ELEMENTS, index);
    column->list.folded_bytes = container_find(c, SECTION_FOLDED_ELEMENTS, index);
    column->list.ids = (const uint32_t *)ids.p;
    column->list.id_count = ids.n / sizeof(uint32_t);
    if (!ids.p || ids.n % sizeof(uint32_t) || !column->list.bytes.p ||
        !column->list.folded_bytes.p || count > UINT32_MAX)
        return container_damaged(err, "the elements of column %u are incomplete", index);
    column->list.count = (uint32_t)count;
    return open_offsets(c, SECTION_ELEMENT_OFFSETS, index, count, &column->list.offsets, err) &&
           open_offsets(c, SECTION_FOLDED_OFFSETS, index, count, &column->list.folded_offsets,
                        err) &&
           open_offsets(c, SECTION_ROW_OFFSETS, index, column->row_count,
                        &column->list.row_offsets, err);
}

static bool
open_column(const struct container *c, uint32_t index, const struct columns_entry *entry,
            struct column *out, struct err *err)
{
    if (entry->type > COLUMN_LIST)
        return container_damaged(err, "column %u is of type %u", index, entry->type);
    *out = (struct column){
        .type = (enum column_type)entry->type,
        .row_count = c->row_count,
        .summary = {.null_count = entry->null_count,
                    .distinct_count = entry->distinct_count,
                    .has_range = entry->has_range != 0},
    };
    memcpy(&out->summary.min, &entry->min, sizeof(entry->min));
    memcpy(&out->summary.max, &entry->max, sizeof(entry->max));
    if (!column_type_is_textual(out->type))
        return open_fixed(c, index, out, err);
    return open_text(c, index, out, err) &&
           (out->type == COLUMN_TEXT || open_list(c, index, out, err));
}

static bool
open_mapped(struct arena *a, struct columns *columns, struct err *err)
{
    struct container c;
    if (!container_open(&c, columns->map.bytes, COLUMNS_KIND, COLUMNS_VERSION, err) ||
        !container_verify_section(&c, SECTION_COLUMNS, CONTAINER_NO_COLUMN, err))
        return false;
    struct str entries = container_find(&c, SECTION_COLUMNS, CONTAINER_NO_COLUMN);
    columns->column_count = entries.n / sizeof(struct columns_entry);
    if (columns->column_count == 0 || entries.n % sizeof(struct columns_entry))
        return container_damaged(err, "its column entries have %zu bytes", entries.n);
    columns->row_count = c.row_count;
    columns->columns = arena_array(a, columns->column_count, struct column);
    for (size_t i = 0; i < columns->column_count; i++)
        if (!open_column(&c, (uint32_t)i, (const struct columns_entry *)entries.p + i,
                         &columns->columns[i], err))
            return false;
    return true;
}

bool
columns_open(struct arena *a, struct columns *out, int fd, struct err *err)
{
    struct columns columns = {0};
    if (!fs_map_open(&columns.map, fd, err))
        return false;
    if (!open_mapped(a, &columns, err)) {
        columns_close(&columns);
        return false;
    }
    *out = columns;
    return true;
}

bool
columns_check(int fd, uint64_t row_count, struct err *err)
{
    return container_check(fd, COLUMNS_KIND, COLUMNS_VERSION, row_count, err);
}

void
columns_close(struct columns *columns)
{
    fs_map_close(&columns->map);
    *columns = (struct columns){0};
}

static struct str
slice_at(struct str bytes, const uint64_t *offsets, uint64_t i)
{
    return str_slice(bytes, offsets[i], offsets[i + 1]);
}

bool
column_has_nulls(const struct column *c)
{
    return c->nulls;
}

uint64_t
column_text_bytes(const struct column *c)
{
    return c->text.bytes.n;
}

uint32_t
column_element_count(const struct column *c)
{
    return c->list.count;
}

struct value
column_number(const struct column *c, uint64_t row)
{
    if (column_is_null(c, row))
        return (struct value){.is_null = true};
    return c->type == COLUMN_REAL ? (struct value){.d = c->reals[row]}
                                  : (struct value){.i = c->ints[row]};
}

struct str
column_text(const struct column *c, uint64_t row)
{
    assert(row < c->row_count);
    return slice_at(c->text.bytes, c->text.offsets, row);
}

struct str
column_texts(const struct column *c, uint64_t from, uint64_t to)
{
    assert(from <= to && to <= c->row_count);
    return str_slice(c->text.bytes, c->text.offsets[from], c->text.offsets[to]);
}

struct str
column_element(const struct column *c, uint32_t id)
{
    return id < c->list.count ? slice_at(c->list.bytes, c->list.offsets, id) : (struct str){0};
}

struct str
column_element_folded(const struct column *c, uint32_t id)
{
    return id < c->list.count ? slice_at(c->list.folded_bytes, c->list.folded_offsets, id)
                              : (struct str){0};
}

const uint32_t *
column_element_ids(const struct column *c, uint64_t row, size_t *out_count)
{
    assert(row < c->row_count);
    uint64_t to = MIN(c->list.row_offsets[row + 1], c->list.id_count);
    uint64_t from = MIN(c->list.row_offsets[row], to);
    *out_count = to - from;
    return c->list.ids + from;
}

bool
column_is_null(const struct column *c, uint64_t row)
{
    assert(row < c->row_count);
    return c->nulls && c->nulls[row / 64] >> row % 64 & 1;
}

size_t
column_gather(const struct column *c, const uint32_t *rows, size_t count, uint64_t *out)
{
    const uint64_t *values = c->ints ? (const uint64_t *)c->ints : (const uint64_t *)c->reals;
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t row = rows[i];
        if (!c->nulls || !(c->nulls[row / 64] >> row % 64 & 1))
            out[n++] = values[row];
    }
    return n;
}

int
column_compare(const struct column *c, uint64_t a, uint64_t b)
{
    assert(a < c->row_count && b < c->row_count);
    if (c->ints)
        return c->ints[a] < c->ints[b] ? -1 : c->ints[a] > c->ints[b];
    if (c->reals)
        return c->reals[a] < c->reals[b] ? -1 : c->reals[a] > c->reals[b];
    if (c->text.prefixes[a] != c->text.prefixes[b])
        return c->text.prefixes[a] < c->text.prefixes[b] ? -1 : 1;
    return str_cmp(column_text(c, a), column_text(c, b));
}
