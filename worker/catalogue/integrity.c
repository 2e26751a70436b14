/* What the catalogue knows, and the callers' side of changing it. */
#include "catalogue/integrity.h"

#include "base/clock.h"
#include "writer/wire.h"

#define REQUEST_BYTES_MAX MIB

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
        if (count == cap) {
            struct integrity_trouble *larger =
                arena_array(a, cap = MAX(cap * 2, 8), struct integrity_trouble);
            for (size_t i = 0; i < count; i++)
                larger[i] = list[i];
            list = larger;
        }
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

bool
integrity_begin(struct writer *w, int64_t start, struct err *err)
{
    scoped_buf request;
    buf_init(&request, REQUEST_BYTES_MAX);
    wire_add_u64(&request, (uint64_t)start);
    return writer_call(w, "integrity_begin", buf_str(&request), NULL, err);
}

static void
add_version(struct buf *request, const struct dataset_version *version)
{
    wire_add_u64(request, (uint64_t)version->dataset_id);
    wire_add_u64(request, (uint64_t)version->number);
    wire_add_u64(request, (uint64_t)version->edition);
}

bool
integrity_store(struct writer *w, int64_t start, const struct dataset_version *version,
                const struct integrity_finding *finding, struct str job_id, int64_t *current,
                struct err *err)
{
    scoped_buf request, reply;
    buf_init(&request, REQUEST_BYTES_MAX);
    buf_init(&reply, 64);
    add_version(&request, version);
    wire_add_u64(&request, (uint64_t)start);
    wire_add_u64(&request, finding->damaged);
    wire_add_u64(&request, finding->damaged & INTEGRITY_ROWS ? 0 : finding->rows_checksum);
    wire_add_str(&request, job_id);
    if (!writer_call(w, "integrity_store", buf_str(&request), &reply, err))
        return false;
    struct wire r = {.rest = buf_str(&reply)};
    int64_t number = (int64_t)wire_u64(&r);
    if (!wire_end(&r, err))
        return false;
    *current = number;
    return true;
}

bool
integrity_store_reindexed(struct writer *w, const struct dataset_version *version,
                          struct str job_id, struct str receipt_json, struct err *err)
{
    scoped_buf request;
    buf_init(&request, REQUEST_BYTES_MAX);
    add_version(&request, version);
    wire_add_str(&request, job_id);
    wire_add_str(&request, receipt_json);
    return writer_call(w, "integrity_store_reindexed", buf_str(&request), NULL, err);
}

bool
integrity_doubt(struct writer *w, const struct dataset_version *version, struct err *err)
{
    scoped_buf request;
    buf_init(&request, REQUEST_BYTES_MAX);
    add_version(&request, version);
    return writer_call(w, "integrity_doubt", buf_str(&request), NULL, err);
}

bool
integrity_doubt_rows(struct writer *w, struct str job_id, struct err *err)
{
    scoped_buf request;
    buf_init(&request, REQUEST_BYTES_MAX);
    wire_add_str(&request, job_id);
    return writer_call(w, "integrity_doubt_rows", buf_str(&request), NULL, err);
}
