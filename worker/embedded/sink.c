/* The two builders, fed by one parser.  Batches of rows go round a ring; each builder reads
 * every batch at its own pace, and the parser reuses a slot when both have left it:
 *
 *        read by columns   read by rows            written by the parser
 *              v                v                       v
 *     |  free  |########|#######|#### ready ####| filling |  free  |
 *
 * Sequence numbers only grow; slot = sequence % SLOTS.  A batch owns what its rows point to, in
 * its arena or in the mapped file. */
#include "embedded/sink.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "catalogue/version_folder.h"
#include "embedded/base.h"
#include "index/tfidf.h"
#include "index/trigrams.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 8
#define BATCH_ROWS_MAX 256
#define BATCH_VALUES_MAX 16384
#define BATCH_TEXT_BYTES (2 * MIB)
#define TICK_MS 100

struct batch {
    struct arena arena;
    struct value *values; /* row after row */
    uint64_t *lines;      /* per row: where it stands in its file */
    size_t row_count;
};

enum { ROWS, COLUMNS, BUILDER_COUNT };

struct builder {
    struct sink_state *s;
    pthread_t thread;
    bool is_started;
    uint64_t taken; /* batches it has left */
    bool is_done;
    bool has_failed;
    struct err err;
    bool (*add)(struct sink_state *s, const struct value *row, uint64_t line, struct err *err);
    bool (*finish)(struct sink_state *s, struct err *err);
};

struct sink_state {
    const struct sink_version *version;
    struct embedded_base base;

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct batch slots[SLOTS];
    uint64_t filled; /* batches handed over */
    bool is_ended;   /* no more will come */
    bool is_stopped; /* nothing is wanted any more */
    bool is_filling; /* the slot of `filled` belongs to the parser; no other thread looks */
    struct builder builders[BUILDER_COUNT];

    struct arena arena; /* of summaries and the slots' values */
    size_t column_count, batch_rows;
    struct rows_builder *rows;
    struct columns_builder *columns;
    int columns_fd;
    struct column_summary *summaries;
    uint64_t rows_checksum;
    _Atomic bool is_unwanted; /* as is_stopped, for the threads of the index files */
};

static const char *
path_of(struct arena *a, const struct sink_state *s, const char *file)
{
    const struct sink_version *version = s->version;
    return version_folder_path(a, version->data_dir, version->dataset_id, version->job_id,
                               file);
}

static int
open_new(struct arena *a, const struct sink_state *s, const char *file, struct err *err)
{
    return fs_open_at(AT_FDCWD, path_of(a, s, file), O_RDWR | O_CREAT | O_EXCL, err);
}

/* ---- the builders' side ---- */

static bool
add_to_rows(struct sink_state *s, const struct value *row, uint64_t line, struct err *err)
{
    return rows_build_add(s->rows, row, line, err);
}

static bool
finish_rows(struct sink_state *s, struct err *err)
{
    scoped_arena a = {0};
    /* Beside the builder of columns, which has more to do; the file is still in memory. */
    return rows_build_finish(&s->rows, err) &&
           rows_checksum(path_of(&a, s, ROWS_FILE_NAME), &s->rows_checksum, err);
}

static bool
add_to_columns(struct sink_state *s, const struct value *row, uint64_t line UNUSED,
               struct err *err)
{
    return columns_build_add(s->columns, row, err);
}

static bool
build_trigrams(struct arena *a, struct sink_state *s, const struct columns *columns,
               struct err *err)
{
    if (!trigrams_are_wanted(columns, TRIGRAMS_TEXT_BYTES_MIN))
        return true;
    scoped_fd fd = open_new(a, s, TRIGRAMS_FILE_NAME, err);
    return fd >= 0 &&
           trigrams_build(fd, columns, TRIGRAMS_TEXT_BYTES_MIN, &s->is_unwanted, err) &&
           fs_sync(fd, err);
}

static bool
build_tfidf(struct arena *a, struct sink_state *s, const struct columns *columns,
            struct err *err)
{
    size_t *similar, count = schema_similar_columns(a, s->version->schema, &similar);
    if (count == 0)
        return true;
    scoped_fd fd = open_new(a, s, TFIDF_FILE_NAME, err);
    return fd >= 0 && tfidf_build(fd, columns, similar, count, 0, 0, &s->is_unwanted, err) &&
           fs_sync(fd, err);
}

/* Before the columns file is synced, so that its text is still in memory.  It is not verified:
 * what would be read back are the pages just written. */
static bool
finish_columns(struct sink_state *s, struct err *err)
{
    scoped_arena a = {0};
    struct columns columns = {0};
    if (!columns_build_finish(&s->columns, s->summaries, err) ||
        !columns_open(&a, &columns, s->columns_fd, err))
        return false;
    bool ok = build_trigrams(&a, s, &columns, err) && build_tfidf(&a, s, &columns, err);
    columns_close(&columns);
    return ok && fs_sync(s->columns_fd, err);
}

/* The next batch, or NULL at the end. */
static const struct batch *
wait_for_batch(struct builder *b)
{
    struct sink_state *s = b->s;
    pthread_mutex_lock(&s->mutex);
    while (!s->is_stopped && !s->is_ended && b->taken == s->filled)
        pthread_cond_wait(&s->changed, &s->mutex);
    bool is_there = !s->is_stopped && b->taken < s->filled;
    pthread_mutex_unlock(&s->mutex);
    return is_there ? &s->slots[b->taken % SLOTS] : NULL;
}

static bool
build_all(struct builder *b, struct err *err)
{
    struct sink_state *s = b->s;
    const struct batch *batch;
    while ((batch = wait_for_batch(b))) {
        for (size_t i = 0; i < batch->row_count; i++)
            if (!b->add(s, batch->values + i * s->column_count, batch->lines[i], err))
                return false;
        pthread_mutex_lock(&s->mutex);
        b->taken++;
        pthread_cond_broadcast(&s->changed);
        pthread_mutex_unlock(&s->mutex);
    }
    pthread_mutex_lock(&s->mutex);
    bool is_stopped = s->is_stopped;
    pthread_mutex_unlock(&s->mutex);
    return is_stopped || b->finish(s, err);
}

static void *
run_builder(void *argument)
{
    struct builder *b = argument;
    struct err err = {0};
    bool ok = build_all(b, &err);
    pthread_mutex_lock(&b->s->mutex);
    b->has_failed = !ok;
    b->err = err;
    b->is_done = true;
    pthread_cond_broadcast(&b->s->changed);
    pthread_mutex_unlock(&b->s->mutex);
    return NULL;
}

/* ---- the parser's side ---- */

static bool
start_builders(struct sink_state *s, struct err *err)
{
    s->builders[ROWS] = (struct builder){.add = add_to_rows, .finish = finish_rows};
    s->builders[COLUMNS] = (struct builder){.add = add_to_columns, .finish = finish_columns};
    for (size_t i = 0; i < BUILDER_COUNT; i++) {
        struct builder *b = &s->builders[i];
        b->s = s;
        errno = pthread_create(&b->thread, NULL, run_builder, b);
        if (errno)
            return err_set_errno(err, "starting a thread");
        b->is_started = true;
    }
    return true;
}

static void
close_sink(struct sink_state **state)
{
    struct sink_state *s = *state;
    *state = NULL;
    if (!s)
        return;
    pthread_mutex_lock(&s->mutex);
    s->is_stopped = true;
    s->is_unwanted = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->mutex);
    for (size_t i = 0; i < BUILDER_COUNT; i++)
        if (s->builders[i].is_started)
            pthread_join(s->builders[i].thread, NULL);
    rows_build_cancel(&s->rows);
    columns_build_cancel(&s->columns);
    fs_close(&s->columns_fd);
    embedded_base_close(&s->base);
    for (size_t i = 0; i < SLOTS; i++)
        arena_free(&s->slots[i].arena);
    arena_free(&s->arena);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

static struct sink_state *
open_sink(const struct sink_version *version, struct err *err)
{
    struct sink_state *s = mem_new(struct sink_state);
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->changed, NULL);
    s->version = version;
    s->columns_fd = -1;
    if (version->base && !embedded_base_open(&s->arena, version->data_dir, version->base,
                                             version->schema, &s->base, err))
        close_sink(&s);
    return s;
}

static bool
read_base_row(struct arena *a, struct sink_state *s, uint64_t number, struct value *values,
              uint64_t *line, struct err *err)
{
    return embedded_base_row(a, &s->base, s->version->schema, number, values, line, err);
}

static bool
begin(struct sink_state *s, const struct sink_size *size, struct err *err)
{
    const struct schema *schema = s->version->schema;
    size_t count = schema->column_count;
    uint64_t row_count_max = size->row_count_max + s->base.row_count;
    struct rows_column *rows = embedded_rows_columns(&s->arena, schema);
    struct columns_spec *specs = arena_array(&s->arena, count, struct columns_spec);
    for (size_t i = 0; i < count; i++) {
        uint64_t base_bytes = s->base.rows ? s->base.text_bytes_max[i] : 0;
        rows[i].text_bytes = size->text_bytes[i] + base_bytes;
        specs[i] = (struct columns_spec){rows[i].type, size->text_bytes_max[i] + base_bytes};
    }
    s->column_count = count;
    s->batch_rows = MAX(MIN(BATCH_ROWS_MAX, BATCH_VALUES_MAX / count), 1);
    s->summaries = arena_array(&s->arena, count, struct column_summary);
    for (size_t i = 0; i < SLOTS; i++) {
        s->slots[i].values = arena_array(&s->arena, s->batch_rows * count, struct value);
        s->slots[i].lines = arena_array(&s->arena, s->batch_rows, uint64_t);
    }
    s->columns_fd = open_new(&s->arena, s, COLUMNS_FILE_NAME, err);
    if (s->columns_fd < 0)
        return false;
    s->rows = rows_build_begin(path_of(&s->arena, s, ROWS_FILE_NAME), rows, count, err);
    if (!s->rows)
        return false;
    s->columns = columns_build_begin(s->columns_fd, specs, count, row_count_max, err);
    return s->columns && start_builders(s, err);
}

/* Is there a slot that both builders have left?  Called with the mutex held. */
static bool
has_free_slot(const struct sink_state *s)
{
    for (size_t i = 0; i < BUILDER_COUNT; i++)
        if (s->filled - s->builders[i].taken >= SLOTS)
            return false;
    return true;
}

static const struct builder *
failed_builder(const struct sink_state *s)
{
    for (size_t i = 0; i < BUILDER_COUNT; i++)
        if (s->builders[i].has_failed)
            return &s->builders[i];
    return NULL;
}

static void
hand_over(struct sink_state *s)
{
    s->is_filling = false;
    pthread_mutex_lock(&s->mutex);
    s->filled++;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->mutex);
}

static bool
begin_batch(struct sink_state *s, struct err *err)
{
    pthread_mutex_lock(&s->mutex);
    const struct builder *failed;
    while (!(failed = failed_builder(s)) && !has_free_slot(s))
        pthread_cond_wait(&s->changed, &s->mutex);
    if (failed)
        *err = failed->err;
    pthread_mutex_unlock(&s->mutex);
    if (failed)
        return false;
    struct batch *batch = &s->slots[s->filled % SLOTS];
    arena_reset(&batch->arena);
    batch->row_count = 0;
    s->is_filling = true;
    return true;
}

static struct value *
next(struct sink_state *s, struct arena **a, struct err *err)
{
    struct batch *batch = &s->slots[s->filled % SLOTS];
    if (s->is_filling &&
        (batch->row_count == s->batch_rows || batch->arena.total > BATCH_TEXT_BYTES))
        hand_over(s);
    if (!s->is_filling && !begin_batch(s, err))
        return NULL;
    batch = &s->slots[s->filled % SLOTS];
    *a = &batch->arena;
    return batch->values + batch->row_count * s->column_count;
}

static void
push(struct sink_state *s, uint64_t line)
{
    struct batch *batch = &s->slots[s->filled % SLOTS];
    batch->lines[batch->row_count++] = line;
}

static bool
all_done(const struct sink_state *s)
{
    for (size_t i = 0; i < BUILDER_COUNT; i++)
        if (!s->builders[i].is_done)
            return false;
    return true;
}

/* A little while, or until something changes; true when both builders are done or one failed.
 */
static bool
wait_a_tick(struct sink_state *s, bool *has_failed, struct err *err)
{
    struct timespec until = clock_wait_until(TICK_MS);
    pthread_mutex_lock(&s->mutex);
    const struct builder *failed = failed_builder(s);
    if (!failed && !all_done(s))
        pthread_cond_timedwait(&s->changed, &s->mutex, &until);
    failed = failed_builder(s);
    bool is_over = failed || all_done(s);
    if (failed)
        *err = failed->err;
    pthread_mutex_unlock(&s->mutex);
    *has_failed = failed;
    return is_over;
}

static bool
finish(struct sink_state *s, sink_wait_fn *on_wait, void *context,
       struct column_summary *summaries, uint64_t *rows_checksum, struct err *err)
{
    if (s->is_filling)
        hand_over(s);
    pthread_mutex_lock(&s->mutex);
    s->is_ended = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->mutex);
    bool has_failed = false;
    while (!wait_a_tick(s, &has_failed, err))
        if (!on_wait(context, err))
            return false;
    if (has_failed)
        return false;
    memcpy(summaries, s->summaries, s->column_count * sizeof(*summaries));
    *rows_checksum = s->rows_checksum;
    return true;
}

const struct sink EMBEDDED_SINK = {
    /* rows.db and the columns file each hold about the text once, the trigrams file a third. */
    .disk_share = 2.8, .open = open_sink, .base_row = read_base_row, .begin = begin,
    .next = next,      .push = push,      .finish = finish,          .close = close_sink,
};
