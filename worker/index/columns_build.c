/* Every section that grows with the rows is a stream to a place reserved for it, so memory is
 * the buffers, the dictionaries of list columns and, at the end, one set of numbers: distinct
 * values are not counted while rows arrive but column by column at the end, from the values,
 * or the hashes of cells, in the file. */
#include "index/columns.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/utf8.h"
#include "index/columns_fold.h"
#include "index/columns_format.h"
#include "index/container.h"
#include "index/dictionary.h"
#include "index/distinct.h"

#include <stdlib.h>

#define BUFFERS_BYTES_MAX (32 * MIB)
#define BUFFER_BYTES_MAX MIB
#define STREAMS_PER_COLUMN_MAX 6

struct column_builder {
    enum column_type type;
    struct column_summary summary;
    bool has_zero;      /* integral, real: some value is 0, not only nulls */
    uint64_t null_word; /* nulls of the current 64 rows */
    struct container_stream values, nulls;
    struct container_stream text, offsets, prefixes, hashes;
    struct container_stream ids, row_offsets;
    struct dictionary elements;
};

struct columns_builder {
    struct container_writer writer;
    struct column_builder *columns;
    size_t column_count;
    uint64_t row_count, row_count_max;
    uint64_t seed;
};

static void
free_column(struct column_builder *c)
{
    container_stream_free(&c->values);
    container_stream_free(&c->nulls);
    container_stream_free(&c->text);
    container_stream_free(&c->offsets);
    container_stream_free(&c->prefixes);
    container_stream_free(&c->hashes);
    container_stream_free(&c->ids);
    container_stream_free(&c->row_offsets);
    dictionary_free(&c->elements);
}

void
columns_build_cancel(struct columns_builder **builder)
{
    struct columns_builder *b = *builder;
    if (!b)
        return;
    for (size_t i = 0; i < b->column_count; i++)
        free_column(&b->columns[i]);
    free(b->columns);
    container_writer_free(&b->writer);
    free(b);
    *builder = NULL;
}

/* An offset array begins with 0; each row adds the offset at which it ends. */
static bool
begin_column(struct columns_builder *b, struct column_builder *c, struct columns_spec spec,
             size_t cap, struct err *err)
{
    struct container_writer *w = &b->writer;
    uint64_t row_bytes = b->row_count_max * sizeof(uint64_t);
    c->type = spec.type;
    if (!column_type_is_textual(spec.type)) {
        container_stream_init(&c->values, w, row_bytes, cap);
        container_stream_init(&c->nulls, w, bitmap_word_count(b->row_count_max) * 8, cap);
        return true;
    }
    container_stream_init(&c->text, w, spec.text_bytes_max, cap);
    container_stream_init(&c->offsets, w, row_bytes + 8, cap);
    container_stream_init(&c->prefixes, w, row_bytes, cap);
    container_stream_init(&c->hashes, w, row_bytes, cap);
    if (!container_stream_add_u64(&c->offsets, 0, err))
        return false;
    if (spec.type != COLUMN_LIST)
        return true;
    /* However a list is split, each element but the last takes at least a byte of the cell. */
    uint64_t id_count_max = spec.text_bytes_max + b->row_count_max;
    container_stream_init(&c->ids, w, id_count_max * sizeof(uint32_t), cap);
    container_stream_init(&c->row_offsets, w, row_bytes + 8, cap);
    dictionary_init(&c->elements, b->seed);
    return container_stream_add_u64(&c->row_offsets, 0, err);
}

struct columns_builder *
columns_build_begin(int fd, const struct columns_spec *specs, size_t column_count,
                    uint64_t row_count_max, struct err *err)
{
    assert(column_count > 0);
    struct columns_builder *b = mem_new(struct columns_builder);
    struct column_builder *columns = mem_array(column_count, struct column_builder);
    *b = (struct columns_builder){
        .columns = columns, .column_count = column_count, .row_count_max = row_count_max};
    container_writer_init(&b->writer, fd);
    random_bytes(&b->seed, sizeof(b->seed));
    size_t cap =
        MIN(BUFFERS_BYTES_MAX / (column_count * STREAMS_PER_COLUMN_MAX), BUFFER_BYTES_MAX);
    bool ok = true;
    for (size_t i = 0; i < column_count && ok; i++)
        ok = begin_column(b, &columns[i], specs[i], cap, err);
    if (!ok)
        columns_build_cancel(&b);
    return b;
}

static void
note_int(struct column_builder *c, int64_t v)
{
    struct column_summary *s = &c->summary;
    s->min.i = s->has_range ? MIN(s->min.i, v) : v;
    s->max.i = s->has_range ? MAX(s->max.i, v) : v;
    s->has_range = true;
    c->has_zero |= v == 0;
}

static void
note_real(struct column_builder *c, double v)
{
    struct column_summary *s = &c->summary;
    s->min.d = s->has_range ? MIN(s->min.d, v) : v;
    s->max.d = s->has_range ? MAX(s->max.d, v) : v;
    s->has_range = true;
    c->has_zero |= v == 0;
}

static bool
add_fixed(struct column_builder *c, uint64_t row, const struct value *v, struct err *err)
{
    uint64_t bits = 0;
    if (v->is_null) {
        c->summary.null_count++;
        c->null_word |= UINT64_C(1) << row % 64;
    } else if (c->type == COLUMN_REAL) {
        note_real(c, v->d);
        __builtin_memcpy(&bits, &v->d, sizeof(bits));
    } else {
        note_int(c, v->i);
        bits = (uint64_t)v->i;
    }
    if (!container_stream_add_u64(&c->values, bits, err))
        return false;
    if (row % 64 != 63)
        return true;
    uint64_t word = c->null_word;
    c->null_word = 0;
    return container_stream_add_u64(&c->nulls, word, err);
}

static bool
add_text(struct columns_builder *b, struct column_builder *c, struct str text, struct err *err)
{
    uint64_t prefix;
    return columns_fold_add(&c->text, text, &prefix, err) &&
           container_stream_add_u64(&c->offsets, container_stream_bytes(&c->text), err) &&
           container_stream_add_u64(&c->prefixes, prefix, err) &&
           container_stream_add_u64(&c->hashes, hash_bytes(text, b->seed), err);
}

static bool
add_elements(struct column_builder *c, const struct value *v, struct err *err)
{
    for (size_t i = 0; i < v->element_count; i++)
        if (!container_stream_add_u32(&c->ids, dictionary_id(&c->elements, v->elements[i]),
                                      err))
            return false;
    return container_stream_add_u64(&c->row_offsets,
                                    container_stream_bytes(&c->ids) / sizeof(uint32_t), err);
}

bool
columns_build_add(struct columns_builder *b, const struct value *row, struct err *err)
{
    if (b->row_count == b->row_count_max)
        return err_set(err, ERR_INTERNAL, "a columns file for %llu rows was given one more",
                       (unsigned long long)b->row_count_max);
    for (size_t i = 0; i < b->column_count; i++) {
        struct column_builder *c = &b->columns[i];
        bool ok = column_type_is_textual(c->type) ? add_text(b, c, row[i].text, err)
                                                  : add_fixed(c, b->row_count, &row[i], err);
        if (!ok || (c->type == COLUMN_LIST && !add_elements(c, &row[i], err)))
            return false;
    }
    b->row_count++;
    return true;
}

static bool
end_streams(struct column_builder *c, uint64_t row_count, struct err *err)
{
    if (!column_type_is_textual(c->type))
        return (row_count % 64 == 0 ||
                container_stream_add_u64(&c->nulls, c->null_word, err)) &&
               container_stream_end(&c->values, err) && container_stream_end(&c->nulls, err);
    return container_stream_end(&c->text, err) && container_stream_end(&c->offsets, err) &&
           container_stream_end(&c->prefixes, err) && container_stream_end(&c->hashes, err) &&
           (c->type != COLUMN_LIST ||
            (container_stream_end(&c->ids, err) && container_stream_end(&c->row_offsets, err)));
}

/* Negative zero counts as the same value as zero. */
static uint64_t
distinct_bits(enum column_type type, uint64_t bits)
{
    return type == COLUMN_REAL && bits == UINT64_C(1) << 63 ? 0 : bits;
}

/* Reads the values, or the hashes of cells, back through the buffer that wrote them.  In a
 * fixed-width column 0 may stand for null, so has_zero was recorded when rows were added. */
static bool
count_distinct(struct column_builder *c, uint64_t row_count, struct distinct *set,
               struct err *err)
{
    bool is_textual = column_type_is_textual(c->type);
    struct container_stream *s = is_textual ? &c->hashes : &c->values;
    distinct_clear(set);
    for (uint64_t row = 0; row < row_count;) {
        uint64_t here = MIN(row_count - row, s->cap / sizeof(uint64_t));
        if (!fs_read_at(s->fd, s->buffer, here * 8, s->offset + row * 8, err))
            return false;
        const uint64_t *bits = (const uint64_t *)s->buffer;
        for (uint64_t i = 0; i < here; i++)
            distinct_add(set, distinct_bits(c->type, bits[i]));
        row += here;
    }
    if (!is_textual)
        set->has_zero = c->has_zero;
    c->summary.distinct_count = distinct_count(set);
    return true;
}

static void
add_streams(struct container_writer *w, const struct column_builder *c, uint32_t i)
{
    if (!column_type_is_textual(c->type)) {
        container_add_section(w, container_stream_section(&c->values, SECTION_VALUES, i));
        if (c->summary.null_count)
            container_add_section(w, container_stream_section(&c->nulls, SECTION_NULLS, i));
        return;
    }
    container_add_section(w, container_stream_section(&c->text, SECTION_TEXT, i));
    container_add_section(w, container_stream_section(&c->offsets, SECTION_OFFSETS, i));
    container_add_section(w, container_stream_section(&c->prefixes, SECTION_PREFIXES, i));
    container_add_section(w, container_stream_section(&c->hashes, SECTION_HASHES, i));
    if (c->type != COLUMN_LIST)
        return;
    container_add_section(w, container_stream_section(&c->ids, SECTION_IDS, i));
    container_add_section(w, container_stream_section(&c->row_offsets, SECTION_ROW_OFFSETS, i));
}

static bool
write_dictionary(struct container_writer *w, const struct dictionary *d, uint32_t column,
                 struct err *err)
{
    size_t offsets_bytes = (d->count + (size_t)1) * sizeof(uint64_t);
    scoped_buf folded = {.max = SIZE_MAX / 2};
    uint64_t *folded_offsets = mem_array(d->count + (size_t)1, uint64_t);
    for (uint32_t id = 0; id < d->count; id++) {
        utf8_fold(&folded, dictionary_element(d, id));
        folded_offsets[id + 1] = folded.n;
    }
    struct str offsets = {(const char *)d->offsets, offsets_bytes};
    struct str ends = {(const char *)folded_offsets, offsets_bytes};
    bool ok =
        container_write_section(w, SECTION_ELEMENTS, column, buf_str(&d->bytes), err) &&
        container_write_section(w, SECTION_ELEMENT_OFFSETS, column, offsets, err) &&
        container_write_section(w, SECTION_FOLDED_ELEMENTS, column, buf_str(&folded), err) &&
        container_write_section(w, SECTION_FOLDED_OFFSETS, column, ends, err);
    free(folded_offsets);
    return ok;
}

static bool
write_entries(struct columns_builder *b, struct column_summary *summaries, struct err *err)
{
    struct columns_entry *entries = mem_array(b->column_count, struct columns_entry);
    for (size_t i = 0; i < b->column_count; i++) {
        const struct column_summary *s = &b->columns[i].summary;
        entries[i] = (struct columns_entry){.type = b->columns[i].type,
                                            .has_range = s->has_range,
                                            .null_count = s->null_count,
                                            .distinct_count = s->distinct_count,
                                            .min.i = s->min.i,
                                            .max.i = s->max.i};
        summaries[i] = *s;
    }
    struct str bytes = {(const char *)entries, b->column_count * sizeof(*entries)};
    bool ok =
        container_write_section(&b->writer, SECTION_COLUMNS, CONTAINER_NO_COLUMN, bytes, err);
    free(entries);
    return ok;
}

static bool
finish_column(struct columns_builder *b, uint32_t index, struct distinct *set, struct err *err)
{
    struct column_builder *c = &b->columns[index];
    if (!end_streams(c, b->row_count, err) || !count_distinct(c, b->row_count, set, err))
        return false;
    add_streams(&b->writer, c, index);
    return c->type != COLUMN_LIST || write_dictionary(&b->writer, &c->elements, index, err);
}

bool
columns_build_finish(struct columns_builder **builder, struct column_summary *summaries,
                     struct err *err)
{
    struct columns_builder *b = *builder;
    struct distinct set;
    distinct_init(&set, b->seed);
    bool ok = true;
    for (uint32_t i = 0; i < b->column_count && ok; i++)
        ok = finish_column(b, i, &set, err);
    distinct_free(&set);
    ok = ok && write_entries(b, summaries, err) &&
         container_finish(&b->writer, COLUMNS_KIND, COLUMNS_VERSION, b->row_count, err);
    columns_build_cancel(builder);
    return ok;
}
