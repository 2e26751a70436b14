/* When the file is opened, every section is found and its size compared with the row count, so
 * that arrays can be indexed by row without another check.  Their contents are not checked:
 * accessors clamp every offset they read, which costs a comparison and keeps a damaged file
 * from leading outside the map. */
#include "index/columns.h"

#include "index/columns_format.h"
#include "index/columns_layout.h"
#include "index/container.h"

#include <string.h>

/* Are there `count` elements of 8 bytes?  Written so that the product cannot overflow. */
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
open_fixed(const struct container *c, uint32_t index, enum column_type type,
           struct column_layout *layout, struct err *err)
{
    struct str values = container_find(c, SECTION_VALUES, index);
    struct str nulls = container_find(c, SECTION_NULLS, index);
    if (!values.p || !is_array_of(values, sizeof(int64_t), c->row_count))
        return container_damaged(err, "the values of column %u have %zu bytes", index,
                                 values.n);
    if (nulls.p && !is_array_of(nulls, sizeof(uint64_t), bitmap_word_count(c->row_count)))
        return container_damaged(err, "the nulls of column %u have %zu bytes", index, nulls.n);
    if (type == COLUMN_REAL)
        layout->reals = (const double *)values.p;
    else
        layout->ints = (const int64_t *)values.p;
    layout->nulls = (const uint64_t *)nulls.p;
    return true;
}

static bool
open_text(const struct container *c, uint32_t index, struct column_layout *layout,
          struct err *err)
{
    struct str prefixes = container_find(c, SECTION_PREFIXES, index);
    struct str hashes = container_find(c, SECTION_HASHES, index);
    layout->text.bytes = container_find(c, SECTION_TEXT, index);
    if (!layout->text.bytes.p || !prefixes.p || !hashes.p ||
        !is_array_of(prefixes, sizeof(uint64_t), c->row_count) ||
        !is_array_of(hashes, sizeof(uint64_t), c->row_count))
        return container_damaged(err, "the text of column %u is incomplete", index);
    layout->text.prefixes = (const uint64_t *)prefixes.p;
    layout->text.hashes = (const uint64_t *)hashes.p;
    return open_offsets(c, SECTION_OFFSETS, index, c->row_count, &layout->text.offsets, err);
}

static bool
open_list(const struct container *c, uint32_t index, struct column_layout *layout,
          struct err *err)
{
    struct str ids = container_find(c, SECTION_IDS, index);
    uint64_t count = container_find(c, SECTION_ELEMENT_OFFSETS, index).n / sizeof(uint64_t) - 1;
    layout->list.bytes = container_find(c, SECTION_ELEMENTS, index);
    layout->list.folded_bytes = container_find(c, SECTION_FOLDED_ELEMENTS, index);
    layout->list.ids = (const uint32_t *)ids.p;
    layout->list.id_count = ids.n / sizeof(uint32_t);
    if (!ids.p || ids.n % sizeof(uint32_t) || !layout->list.bytes.p ||
        !layout->list.folded_bytes.p || count > UINT32_MAX)
        return container_damaged(err, "the elements of column %u are incomplete", index);
    layout->list.count = (uint32_t)count;
    return open_offsets(c, SECTION_ELEMENT_OFFSETS, index, count, &layout->list.offsets, err) &&
           open_offsets(c, SECTION_FOLDED_OFFSETS, index, count, &layout->list.folded_offsets,
                        err) &&
           open_offsets(c, SECTION_ROW_OFFSETS, index, c->row_count, &layout->list.row_offsets,
                        err);
}

static bool
open_column(const struct container *c, uint32_t index, const struct columns_entry *entry,
            struct column *out, struct column_layout *layout, struct err *err)
{
    if (entry->type > COLUMN_LIST)
        return container_damaged(err, "column %u is of type %u", index, entry->type);
    *out = (struct column){
        .type = (enum column_type)entry->type,
        .row_count = c->row_count,
        .layout = layout,
        .summary = {.null_count = entry->null_count,
                    .distinct_count = entry->distinct_count,
                    .has_range = entry->has_range != 0},
    };
    memcpy(&out->summary.min, &entry->min, sizeof(entry->min));
    memcpy(&out->summary.max, &entry->max, sizeof(entry->max));
    if (!column_type_is_textual(out->type))
        return open_fixed(c, index, out->type, layout, err);
    return open_text(c, index, layout, err) &&
           (out->type == COLUMN_TEXT || open_list(c, index, layout, err));
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
    struct column_layout *layouts = arena_array(a, columns->column_count, struct column_layout);
    for (size_t i = 0; i < columns->column_count; i++)
        if (!open_column(&c, (uint32_t)i, (const struct columns_entry *)entries.p + i,
                         &columns->columns[i], &layouts[i], err))
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
    return c->layout->nulls;
}

uint64_t
column_text_bytes(const struct column *c)
{
    return c->layout->text.bytes.n;
}

uint32_t
column_element_count(const struct column *c)
{
    return c->layout->list.count;
}

struct value
column_number(const struct column *c, uint64_t row)
{
    if (column_is_null(c, row))
        return (struct value){.is_null = true};
    return c->type == COLUMN_REAL ? (struct value){.d = c->layout->reals[row]}
                                  : (struct value){.i = c->layout->ints[row]};
}

struct str
column_text(const struct column *c, uint64_t row)
{
    assert(row < c->row_count);
    return slice_at(c->layout->text.bytes, c->layout->text.offsets, row);
}

struct str
column_texts(const struct column *c, uint64_t from, uint64_t to)
{
    const struct column_layout *l = c->layout;
    assert(from <= to && to <= c->row_count);
    return str_slice(l->text.bytes, l->text.offsets[from], l->text.offsets[to]);
}

struct str
column_element(const struct column *c, uint32_t id)
{
    const struct column_layout *l = c->layout;
    return id < l->list.count ? slice_at(l->list.bytes, l->list.offsets, id) : (struct str){0};
}

struct str
column_element_folded(const struct column *c, uint32_t id)
{
    const struct column_layout *l = c->layout;
    return id < l->list.count ? slice_at(l->list.folded_bytes, l->list.folded_offsets, id)
                              : (struct str){0};
}

const uint32_t *
column_element_ids(const struct column *c, uint64_t row, size_t *out_count)
{
    const struct column_layout *l = c->layout;
    assert(row < c->row_count);
    uint64_t to = MIN(l->list.row_offsets[row + 1], l->list.id_count);
    uint64_t from = MIN(l->list.row_offsets[row], to);
    *out_count = to - from;
    return l->list.ids + from;
}

bool
column_is_null(const struct column *c, uint64_t row)
{
    const uint64_t *nulls = c->layout->nulls;
    assert(row < c->row_count);
    return nulls && nulls[row / 64] >> row % 64 & 1;
}

size_t
column_gather(const struct column *c, const uint32_t *rows, size_t count, uint64_t *out)
{
    const struct column_layout *l = c->layout;
    const uint64_t *values = l->ints ? (const uint64_t *)l->ints : (const uint64_t *)l->reals;
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t row = rows[i];
        if (!l->nulls || !(l->nulls[row / 64] >> row % 64 & 1))
            out[n++] = values[row];
    }
    return n;
}

int
column_compare(const struct column *c, uint64_t a, uint64_t b)
{
    const struct column_layout *l = c->layout;
    assert(a < c->row_count && b < c->row_count);
    if (l->ints)
        return l->ints[a] < l->ints[b] ? -1 : l->ints[a] > l->ints[b];
    if (l->reals)
        return l->reals[a] < l->reals[b] ? -1 : l->reals[a] > l->reals[b];
    if (l->text.prefixes[a] != l->text.prefixes[b])
        return l->text.prefixes[a] < l->text.prefixes[b] ? -1 : 1;
    return str_cmp(column_text(c, a), column_text(c, b));
}
