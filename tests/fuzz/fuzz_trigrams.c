/* The trigrams file as an attacker or a dying disk would leave it, as in fuzz_columns.c: small
 * changes to a good file, half of the time with the checksums made right again.  Whatever opens
 * is searched, verified or not, and has to stay inside the map. */
#include "columns_file.h"
#include "damage.h"
#include "fuzz.h"

#include "index/trigrams.h"

#define ROWS 200

static struct columns columns;

static void
build(int fd)
{
    static const struct columns_spec SPECS[] = {{COLUMN_TEXT, 16384}, {COLUMN_TEXT, 16384}};
    static struct arena forever;
    struct err err = {0};
    struct value rows[ROWS][COUNT_OF(SPECS)] = {0};
    scoped_arena a = {0};
    for (int row = 0; row < ROWS; row++) {
        rows[row][0].text = arena_printf(&a, "dragon %d", row);
        rows[row][1].text = arena_printf(&a, "%d", row % 9 ? row : 7777777);
    }
    scoped_fd columns_fd = columns_file(SPECS, COUNT_OF(SPECS), rows[0], ROWS);
    bool ok = columns_open(&forever, &columns, columns_fd, &err) &&
              trigrams_build(fd, &columns, 0, NULL, &err);
    assert(ok);
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

static void
fuzz(struct arena *a, struct str input)
{
    struct err err = {0};
    struct trigrams t;
    scoped_fd fd = damaged_file(a, build, input);
    if (!trigrams_open(a, &t, fd, &columns, &err))
        return;
    bool is_verified = trigrams_verify(&t, &err);
    uint64_t used = is_verified;
    for (size_t i = 0; i < t.column_count; i++)
        used += use_column(a, &t.columns[i]);
    trigrams_close(&t);
    __asm__ volatile("" : : "r"(used));
}
