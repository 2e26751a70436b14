/* The tf-idf file as an attacker or a dying disk would leave it: whatever opens is asked for
 * vectors and scores, verified or not, and has to stay inside the map. */
#include "columns_file.h"
#include "damage.h"
#include "fuzz.h"

#include "index/tfidf.h"

#define ROWS 100

static const size_t SIMILAR[] = {0};
static struct columns columns;

static void
build(int fd)
{
    static const struct columns_spec SPEC = {COLUMN_TEXT, 16384};
    static struct arena forever;
    struct err err = {0};
    struct value rows[ROWS] = {0};
    scoped_arena a = {0};
    for (int row = 0; row < ROWS; row++)
        rows[row].text =
            arena_printf(&a, "dragon gold %d hoard %d dragon %d", row % 9, row % 7, row);
    scoped_fd columns_fd = columns_file(&SPEC, 1, rows, ROWS);
    bool ok = columns_open(&forever, &columns, columns_fd, &err) &&
              tfidf_build(fd, &columns, SIMILAR, 1, 2, 0, NULL, &err);
    assert(ok);
}

static void
fuzz(struct arena *a, struct str input)
{
    struct err err = {0};
    struct tfidf t;
    scoped_fd fd = damaged_file(a, build, input);
    if (!tfidf_open(&t, fd, ROWS, &err))
        return;
    bool is_good = tfidf_verify(&t, &err);
    for (uint64_t row = 0; row < ROWS; row += 9) {
        double scores[ROWS];
        struct tfidf_vector query = tfidf_row_vector(a, &t, &columns, SIMILAR, 1, row);
        tfidf_score_rows(&t, &query, scores);
        for (size_t i = 0; i < query.count && is_good; i++)
            assert(tfidf_word(&t, query.terms[i].word).n > 0);
    }
    tfidf_close(&t);
}
