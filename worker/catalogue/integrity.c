#include "catalogue/integrity.h"

#include "base/clock.h"

static const struct {
    enum integrity_file file;
    const char *word;
} FILES[] = {
    {INTEGRITY_ROWS, "rows.db"},
    {INTEGRITY_COLUMNS, "columns"},
    {INTEGRITY_TRIGRAMS, "trigrams"},
    {INTEGRITY_TFIDF, "tfidf"},
};

struct str
integrity_files_words(struct arena *a, unsigned files)
{
    struct str words = STR("");
    for (size_t i = 0; i < COUNT_OF(FILES); i++)
        if (files & FILES[i].file)
            words = arena_printf(a, "%" STR_FMT "%s%s", STR_ARG(words), words.n ? " " : "",
                                 FILES[i].word);
    return words;
}

unsigned
integrity_files_parse(struct str words)
{
    unsigned files = 0;
    while (words.n) {
        struct str word = str_cut(&words, ' ');
        for (size_t i = 0; i < COUNT_OF(FILES); i++)
            if (str_eq(word, str_from(FILES[i].word)))
                files |= FILES[i].file;
    }
    return files;
}

static void
bind_schedule(struct stmt *s, const struct integrity_schedule *schedule)
{
    stmt_bind_i64(s, 1, schedule->start);
    stmt_bind_i64(s, 2, clock_now_ms());
    stmt_bind_i64(s, 3, schedule->every_ms);
    stmt_bind_i64(s, 4, schedule->damaged_every_ms);
}

bool
integrity_is_due(struct db *db, const struct integrity_schedule *schedule, bool *is_due,
                 struct err *err)
{
    int64_t got;
    scoped_stmt s = db_stmt(db, "integrity_is_due");
    bind_schedule(s, schedule);
    if (!stmt_run_i64(s, &got, err))
        return false;
    *is_due = got != 0;
    return true;
}

int
integrity_next(struct arena *a, struct db *db, const struct integrity_schedule *schedule,
               struct str *dataset, struct dataset_version *out, struct err *err)
{
    scoped_stmt s = db_stmt(db, "integrity_next");
    bind_schedule(s, schedule);
    int got = stmt_step(s, err);
    if (got != 1)
        return got;
    *dataset = arena_str(a, stmt_str(s, 0));
    return dataset_version_get(a, db, *dataset, stmt_i64(s, 1), out, err) ? 1 : -1;
}

bool
integrity_is_waiting(struct db *db, int64_t start, bool *is_waiting, struct err *err)
{
    int64_t got;
    scoped_stmt s = db_stmt(db, "integrity_is_waiting");
    stmt_bind_i64(s, 1, start);
    if (!stmt_run_i64(s, &got, err))
        return false;
    *is_waiting = got != 0;
    return true;
}

bool
integrity_troubles(struct arena *a, struct db *db, int64_t start,
                   struct integrity_trouble **out, size_t *out_count, struct err *err)
{
    scoped_stmt s = db_stmt(db, "integrity_troubles");
    stmt_bind_i64(s, 1, start);
    struct integrity_trouble *list = NULL;
    size_t count = 0, cap = 0;
    int got;
    while ((got = stmt_step(s, err)) == 1) {
        list = arena_grow(a, list, &cap, count + 1, sizeof(*list));
        list[count++] = (struct integrity_trouble){
            .dataset = arena_str(a, stmt_str(s, 0)),
            .is_public = stmt_i64(s, 1) != 0,
            .version = stmt_i64(s, 2),
            .wanted_version = stmt_i64(s, 3),
            .damaged = integrity_files_parse(stmt_str(s, 4)),
            .damaged_at = stmt_i64(s, 5),
            .is_unchecked = stmt_i64(s, 6) != 0,
        };
    }
    if (got < 0)
        return false;
    *out = list;
    *out_count = count;
    return true;
}
