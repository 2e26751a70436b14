/* The tf-idf file as an attacker or a dying disk would leave it: whatever opens is asked for
 * vectors and scores, verified or not, and has to stay inside the map. */
#include "damage.h"

#include "index/tfidf.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define ROWS 100

static const size_t SIMILAR[] = {0};
static struct buf good;
static struct arena good_arena;
static struct columns columns;

static void
build_good(void)
{
    static const struct columns_spec SPEC = {COLUMN_TEXT, 16384};
    struct err err = {0};
    struct column_summary summary;
    scoped_fd columns_fd = memfd_create("columns", MFD_CLOEXEC);
    scoped_fd fd = memfd_create("tfidf", MFD_CLOEXEC);
    struct columns_builder *b = columns_build_begin(columns_fd, &SPEC, 1, ROWS, &err);
    bool ok = b != NULL;
    scoped_arena a = {0};
    for (int row = 0; row < ROWS && ok; row++) {
        struct value v = {.text = arena_printf(&a, "dragon gold %d hoard %d dragon %d", row % 9,
                                               row % 7, row)};
        ok = columns_build_add(b, &v, &err);
    }
    ok = ok && columns_build_finish(&b, &summary, &err) &&
         columns_open(&good_arena, &columns, columns_fd, &err) &&
         tfidf_build(fd, &columns, SIMILAR, 1, 2, 0, NULL, &err);
    if (!ok)
        abort();
    damage_read_good(&good, fd);
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
    scoped_fd fd = memfd_create("tfidf", MFD_CLOEXEC);
    struct tfidf t;
    if (!fs_write(fd, file, &err))
        abort();
    if (!tfidf_open(&t, fd, ROWS, &err))
        return 0;
    bool is_good = tfidf_verify(&t, &err);
    for (uint64_t row = 0; row < ROWS; row += 9) {
        double scores[ROWS];
        struct tfidf_vector query = tfidf_row_vector(&a, &t, &columns, SIMILAR, 1, row);
        tfidf_score_rows(&t, &query, scores);
        for (size_t i = 0; i < query.count && is_good; i++)
            if (tfidf_word(&t, query.terms[i].word).n == 0)
                abort();
    }
    tfidf_close(&t);
    return 0;
}
