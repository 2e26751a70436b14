/* columns_verify.  The checksums say that the bytes are those that were written; the other
 * checks say that what was written is valid. */
#include "index/columns.h"

#include "index/columns_format.h"
#include "index/columns_layout.h"
#include "index/container.h"

#include <math.h>

static bool
verify_offsets(const uint64_t *offsets, uint64_t count, uint64_t end, size_t column,
               struct err *err)
{
    if (offsets[0] != 0 || offsets[count] != end)
        return container_damaged(err, "offsets of column %zu do not span their bytes", column);
    for (uint64_t i = 0; i < count; i++)
        if (offsets[i] > offsets[i + 1])
            return container_damaged(err, "offsets of column %zu do not ascend", column);
    return true;
}

static bool
verify_nulls(const struct column *c, size_t index, struct err *err)
{
    const struct column_layout *l = c->layout;
    struct bitmap nulls = {.words = (uint64_t *)l->nulls, .row_count = c->row_count};
    uint64_t count = l->nulls ? bitmap_count(&nulls) : 0;
    if (count != c->summary.null_count)
        return container_damaged(err, "column %zu has %llu nulls and says %llu", index,
                                 (unsigned long long)count,
                                 (unsigned long long)c->summary.null_count);
    if (l->nulls && c->row_count % 64 && l->nulls[c->row_count / 64] >> c->row_count % 64)
        return container_damaged(err, "column %zu has nulls beyond its end", index);
    return true;
}

static bool
verify_reals(const struct column *c, size_t index, struct err *err)
{
    const struct column_layout *l = c->layout;
    bool are_finite = isfinite(c->summary.min.d) && isfinite(c->summary.max.d);
    for (uint64_t row = 0; row < c->row_count; row++)
        are_finite &= isfinite(l->reals[row]) != 0;
    return are_finite ||
           container_damaged(err, "column %zu has a number that is not finite", index);
}

static bool
verify_text(const struct column *c, size_t index, struct err *err)
{
    const struct column_layout *l = c->layout;
    if (!verify_offsets(l->text.offsets, c->row_count, l->text.bytes.n, index, err))
        return false;
    for (uint64_t row = 0; row < c->row_count; row++)
        if (columns_prefix(column_text(c, row)) != l->text.prefixes[row])
            return container_damaged(err, "an order prefix of column %zu is wrong", index);
    return true;
}

static bool
verify_list(const struct column *c, size_t index, struct err *err)
{
    const struct column_layout *l = c->layout;
    if (!verify_offsets(l->list.offsets, l->list.count, l->list.bytes.n, index, err) ||
        !verify_offsets(l->list.folded_offsets, l->list.count, l->list.folded_bytes.n, index,
                        err) ||
        !verify_offsets(l->list.row_offsets, c->row_count, l->list.id_count, index, err))
        return false;
    for (uint64_t i = 0; i < l->list.id_count; i++)
        if (l->list.ids[i] >= l->list.count)
            return container_damaged(err, "column %zu names element %u of %u", index,
                                     l->list.ids[i], l->list.count);
    return true;
}

static bool
verify_column(const struct column *c, size_t index, struct err *err)
{
    if (c->summary.distinct_count > c->row_count)
        return container_damaged(err, "column %zu has more values than rows", index);
    switch (c->type) {
    case COLUMN_INTEGER:
    case COLUMN_BOOLEAN:
    case COLUMN_DATE:
    case COLUMN_DATETIME:
        return verify_nulls(c, index, err);
    case COLUMN_REAL:
        return verify_nulls(c, index, err) && verify_reals(c, index, err);
    case COLUMN_TEXT:
        return verify_text(c, index, err);
    case COLUMN_LIST:
        return verify_text(c, index, err) && verify_list(c, index, err);
    }
    return container_damaged(err, "column %zu is of an unknown type", index);
}

bool
columns_verify(const struct columns *columns, struct err *err)
{
    struct container c;
    if (!container_open(&c, columns->map.bytes, COLUMNS_KIND, COLUMNS_VERSION, err) ||
        !container_verify(&c, err))
        return false;
    for (size_t i = 0; i < columns->column_count; i++)
        if (!verify_column(&columns->columns[i], i, err))
            return false;
    return true;
}
