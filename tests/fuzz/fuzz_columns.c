/* The columns file as an attacker or a dying disk would leave it.  The input is a list of small
 * changes to a good file, each put where it chooses; half of the inputs also have their
 * checksums made right again, so that the checks behind them are reached.  Whatever opens is
 * used: every accessor and scan has to stay inside the map, verified or not. */
#include "damage.h"

#include "base/hash.h"
#include "index/scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define ROWS 70

static struct buf good;

static void
build_good(void)
{
    static const struct columns_spec SPECS[] = {
        {COLUMN_INTEGER, 0}, {COLUMN_REAL, 0}, {COLUMN_TEXT, 8192}, {COLUMN_LIST, 8192}};
    struct err err = {0};
    scoped_fd fd = memfd_create("columns", MFD_CLOEXEC);
    struct columns_builder *b = columns_build_begin(fd, SPECS, COUNT_OF(SPECS), ROWS, &err);
    bool ok = b != NULL;
    scoped_arena a = {0};
    for (int row = 0; row < ROWS && ok; row++) {
        struct str elements[2] = {arena_printf(&a, "e%d", row % 7), STR("É")};
        struct str raw = arena_printf(&a, "dragon %d", row);
        struct value v[] = {{.i = row, .is_null = row % 5 == 0},
                            {.d = row / 2.0},
                            {.text = raw},
                            {.text = raw, .elements = elements, .element_count = 2}};
        ok = columns_build_add(b, v, &err);
    }
    struct column_summary summaries[COUNT_OF(SPECS)];
    ok = ok && columns_build_finish(&b, summaries, &err);
    if (!ok)
        abort();
    damage_read_good(&good, fd);
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
    if (c->ints)
        scan_int_range(c, 3, 40, &out);
    if (c->reals)
        scan_real_range(c, 3, true, INFINITY, false, &out);
    for (enum match m = MATCH_CONTAINS; m <= MATCH_EQUALS && !c->ints && !c->reals; m++) {
        scan_text(c, m, STR("dragon 1"), &out);
        scan_text(c, m, STR("n"), &out);
        if (c->type == COLUMN_LIST)
            scan_list(c, m, STR("e1"), &out);
    }
    for (enum match_order o = MATCH_LESS; o <= MATCH_GREATER_EQUAL && c->text.offsets; o++)
        scan_text_order(c, o, STR("dragon 3"), &out);
    return used + bitmap_count(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (!good.p)
        build_good();
    if (n == 0)
        return 0;
    struct err err = {0};
    scoped_arena a = {0};
    struct str file = damage(&a, buf_str(&good), data, n);
    scoped_fd fd = memfd_create("columns", MFD_CLOEXEC);
    if (fd < 0 || !fs_write(fd, file, &err))
        abort();
    struct columns columns;
    if (!columns_open(&a, &columns, fd, &err))
        return 0;
    bool is_verified = columns_verify(&columns, &err);
    uint64_t used = is_verified;
    for (size_t i = 0; i < columns.column_count; i++)
        used += use_column(&a, &columns.columns[i]);
    columns_close(&columns);
    __asm__ volatile("" : : "r"(used));
    return 0;
}
