/* The parser, against itself: a file read in one chunk and the same file read in chunks give
 * the same rows; what was read and is faultless reads back the same after being written.
 *
 *   byte 0  dialect    bytes 1-2  where it is cut    the rest  the file */
#include "fuzz.h"

#include "base/num.h"
#include "csv/csv.h"

#include <stdlib.h>
#include <string.h>

static const struct csv_dialect DIALECTS[] = {
    {.delimiter = ',', .quote = '"'},
    {.delimiter = ';', .quote = '\''},
    {.delimiter = '\t', .quote = 0},
    {.delimiter = 'a', .quote = 'b'},
};

struct notes {
    struct csv_dialect dialect;
    struct buf rows;    /* everything that was delivered */
    struct buf written; /* the faultless rows, written again */
    struct buf cells;   /* the cells of those */
};

static void
add_cells(struct buf *out, const struct csv_row *row)
{
    for (size_t i = 0; i < row->cell_count; i++) {
        num_add_i64(out, (int64_t)row->cells[i].n);
        buf_add_char(out, ':');
        buf_add(out, row->cells[i]);
    }
    buf_add_char(out, '\n');
}

static bool
note_row(void *context, const struct csv_row *row, struct err *err UNUSED)
{
    struct notes *notes = context;
    num_add_i64(&notes->rows, (int64_t)row->line);
    buf_add_char(&notes->rows, '@');
    num_add_i64(&notes->rows, (int64_t)row->offset);
    buf_add(&notes->rows, str_from(csv_fault_name(row->fault)));
    buf_add(&notes->rows, row->raw);
    add_cells(&notes->rows, row);
    if (row->fault == CSV_OK) {
        csv_add_row(&notes->written, notes->dialect, row->cells, row->cell_count);
        add_cells(&notes->cells, row);
    }
    return true;
}

/* How long the next chunk is, from one byte to all, as its first byte says by two of the input.
 */
static size_t
chunk_bytes(const unsigned char *cuts, struct str rest)
{
    if (!cuts)
        return rest.n;
    return MIN(rest.n, 1 + (size_t)((unsigned char)rest.p[0] ^ cuts[0]) % (1 + cuts[1]));
}

static void
read_file(struct notes *notes, struct csv_dialect dialect, struct str file,
          const unsigned char *cuts)
{
    *notes = (struct notes){.dialect = dialect};
    buf_init(&notes->rows, 64 * MIB);
    buf_init(&notes->written, 64 * MIB);
    buf_init(&notes->cells, 64 * MIB);
    scoped_csv csv = csv_open(dialect, note_row, notes);
    struct err err = {0};
    bool ok = true;
    while (file.n) {
        /* A block of its own, gone after the call: a stray read is seen. */
        size_t n = chunk_bytes(cuts, file);
        char *chunk = malloc(n);
        assert(chunk);
        memcpy(chunk, file.p, n);
        ok = ok && csv_feed(csv, (struct str){chunk, n}, &err);
        free(chunk);
        file = str_skip(file, n);
    }
    ok = ok && csv_finish(csv, &err);
    assert(ok);
}

static void
free_notes(struct notes *notes)
{
    buf_free(&notes->rows);
    buf_free(&notes->written);
    buf_free(&notes->cells);
}

static void
fuzz(struct arena *a UNUSED, struct str input)
{
    if (input.n < 3)
        return;
    const unsigned char *first = (const unsigned char *)input.p;
    struct csv_dialect dialect = DIALECTS[first[0] % COUNT_OF(DIALECTS)];
    struct str file = str_skip(input, 3);
    struct notes whole, cut, again;
    read_file(&whole, dialect, file, NULL);
    read_file(&cut, dialect, file, first + 1);
    assert(str_eq(buf_str(&whole.rows), buf_str(&cut.rows)));
    if (dialect.quote) {
        read_file(&again, dialect, buf_str(&whole.written), NULL);
        assert(str_eq(buf_str(&whole.cells), buf_str(&again.cells)));
        free_notes(&again);
    }
    free_notes(&whole);
    free_notes(&cut);
}
