/* The trigrams file as an attacker or a dying disk would leave it, as in fuzz_columns.c: small
 * changes to a good file, half of the time with the checksums made right again.  Whatever opens
 * is searched, verified or not, and has to stay inside the map. */
#include "damage.h"

#include "index/trigrams.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define ROWS 200

static struct buf good;
static struct arena good_arena;
static struct columns columns;

static void
build_good(void)
{
    static const struct columns_spec SPECS[] = {{COLUMN_TEXT, 16384}, {COLUMN_TEXT, 16384}};
    struct err err = {0};
    struct column_summary summaries[COUNT_OF(SPECS)];
    scoped_fd columns_fd = memfd_create("columns", MFD_CLOEXEC);
    scoped_fd fd = memfd_create("trigrams", MFD_CLOEXEC);
    struct columns_builder *b =
        columns_build_begin(columns_fd, SPECS, COUNT_OF(SPECS), ROWS, &err);
    bool ok = b != NULL;
    scoped_arena a = {0};
    for (int row = 0; row < ROWS && ok; row++) {
        struct value v[] = {{.text = arena_printf(&a, "dragon %d", row)},
                            {.text = arena_printf(&a, "%d", row % 9 ? row : 7777777)}};
        ok = columns_build_add(b, v, &err);
    }
    ok = ok && columns_build_finish(&b, summaries, &err) &&
         columns_open(&good_arena, &columns, columns_fd, &err) &&
         trigrams_build(fd, &columns, 0, NULL, &err);
    if (!ok)
        abort();
    damage_read_good(&good, fd);
}

static uint64_t
use_column(struct arena *a, const struct trigrams_column *t)
{
    static const struct str NEEDLES[] = {STR_INIT("dragon 1"), STR_INIT("777"),
                                         STR_INIT("7777"), STR_INIT("on 19"), STR_INIT("xyz")};
    uint64_t used = 0;
    for (size_t i = 0; i < COUNT_OF(NEEDLES); i++) {
        struct bitmap left = bitmap_new_full(a, columns.row_count);
        used += trigrams_cost(t, NEEDLES[i]);
        used += trigrams_narrow(t, NEEDLES[i], &left);
        used += bitmap_count(&left);
    }
    return used;
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
    scoped_fd fd = memfd_create("trigrams", MFD_CLOEXEC);
    if (fd < 0 || !fs_write(fd, file, &err))
        abort();
    struct trigrams t;
    if (!trigrams_open(&a, &t, fd, &columns, &err))
        return 0;
    bool is_verified = trigrams_verify(&t, &err);
    uint64_t used = is_verified;
    for (size_t i = 0; i < t.column_count; i++)
        used += use_column(&a, &t.columns[i]);
    trigrams_close(&t);
    __asm__ volatile("" : : "r"(used));
    return 0;
}
