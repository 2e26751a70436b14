/* The columns file as an attacker or a dying disk would leave it.  The input is a list of small
 * changes to a good file, each put where it chooses; half of the inputs also have their
 * checksums made right again, so that the checks behind them are reached.  Whatever opens is
 * used: every accessor and scan has to stay inside the map, verified or not. */
#include "columns_file.h"
#include "damage.h"
#include "fuzz.h"

#include "base/hash.h"
#include "index/block.h"
#include "index/scan.h"

#include <math.h>

#define ROWS 70

static void
build(int fd)
{
    static const struct columns_spec SPECS[] = {
        {COLUMN_INTEGER, 0}, {COLUMN_REAL, 0}, {COLUMN_TEXT, 8192}, {COLUMN_LIST, 8192}};
    struct value rows[ROWS][COUNT_OF(SPECS)] = {0};
    scoped_arena a = {0};
    for (int row = 0; row < ROWS; row++) {
        struct value *v = rows[row];
        struct str *elements = arena_array(&a, 2, struct str);
        elements[0] = arena_printf(&a, "e%d", row % 7);
        elements[1] = STR("É");
        v[0] = (struct value){.i = row, .is_null = row % 5 == 0};
        v[1].d = row / 2.0;
        v[2].text = v[3].text = arena_printf(&a, "dragon %d", row);
        v[3].elements = elements;
        v[3].element_count = 2;
    }
    columns_file_write(fd, SPECS, COUNT_OF(SPECS), rows[0], ROWS);
}

static uint64_t
use_column(struct arena *a, const struct column *c)
{
    uint64_t used = 0;
    struct bitmap out = bitmap_new(a, c->row_count);
    for (uint64_t row = 0; row < c->row_count; row++) {
        used += (uint64_t)column_compare(c, row, c->row_count - 1 - row);
        used += column_is_null(c, row);
        if (column_type_is_textual(c->type))
            used += hash_bytes(column_text(c, row), 0);
        size_t count = 0;
        const uint32_t *ids =
            c->type == COLUMN_LIST ? column_element_ids(c, row, &count) : NULL;
        for (size_t i = 0; i < count; i++)
            used += hash_bytes(column_element(c, ids[i]), 0) +
                    hash_bytes(column_element_folded(c, ids[i]), 0);
    }
    scan_nulls(c, &out);
    enum block_form form = block_value_form(c);
    if (form == BLOCK_INTS)
        scan_int_range(c, 3, 40, &out);
    if (form == BLOCK_REALS)
        scan_real_range(c, 3, true, INFINITY, false, &out);
    for (enum match m = MATCH_CONTAINS; m <= MATCH_EQUALS && form == BLOCK_HASHES; m++) {
        scan_text(c, m, STR("dragon 1"), &out);
        scan_text(c, m, STR("n"), &out);
        if (c->type == COLUMN_LIST)
            scan_list(c, m, STR("e1"), &out);
    }
    for (enum match_order o = MATCH_LESS; o <= MATCH_GREATER_EQUAL && form == BLOCK_HASHES; o++)
        scan_text_order(c, o, STR("dragon 3"), &out);
    return used + bitmap_count(&out);
}

static void
fuzz(struct arena *a, struct str input)
{
    struct err err = {0};
    struct columns columns;
    scoped_fd fd = damaged_file(a, build, input);
    if (!columns_open(a, &columns, fd, &err))
        return;
    bool is_verified = columns_verify(&columns, &err);
    uint64_t used = is_verified;
    for (size_t i = 0; i < columns.column_count; i++)
        used += use_column(a, &columns.columns[i]);
    columns_close(&columns);
    __asm__ volatile("" : : "r"(used));
}
