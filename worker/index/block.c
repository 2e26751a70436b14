#include "index/block.h"

#include "index/columns_layout.h"

struct block_reader
block_reader_of(const struct column *c, enum block_form form)
{
    return (struct block_reader){.column = c, .form = form};
}

enum block_form
block_value_form(const struct column *c)
{
    return column_type_is_textual(c->type) ? BLOCK_HASHES
           : c->type == COLUMN_REAL        ? BLOCK_REALS
                                           : BLOCK_INTS;
}

void
block_read(struct block_reader *r, uint64_t row)
{
    const struct column *c = r->column;
    const struct column_layout *l = c->layout;
    assert(row < c->row_count);
    uint64_t first = row / BLOCK_ROWS * BLOCK_ROWS;
    struct block *b = &r->block;
    b->first = first;
    b->count = MIN(c->row_count - first, BLOCK_ROWS);
    b->nulls = l->nulls ? l->nulls + first / 64 : NULL;
    switch (r->form) {
    case BLOCK_INTS:
        b->ints = l->ints + first;
        break;
    case BLOCK_REALS:
        b->reals = l->reals + first;
        break;
    case BLOCK_TEXTS:
        b->offsets = l->text.offsets + first;
        b->bytes = str_slice(l->text.bytes, b->offsets[0], b->offsets[b->count]);
        break;
    case BLOCK_PREFIXES:
        b->words = l->text.prefixes + first;
        break;
    case BLOCK_HASHES:
        b->words = l->text.hashes + first;
        break;
    case BLOCK_IDS:
        b->ids = l->list.ids;
        b->id_count = l->list.id_count;
        b->offsets = l->list.row_offsets + first;
        break;
    }
}

struct block
block_of_elements(const struct column *c)
{
    const struct column_layout *l = c->layout;
    return (struct block){.count = l->list.count,
                          .bytes = l->list.folded_bytes,
                          .offsets = l->list.folded_offsets};
}
