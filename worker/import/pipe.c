/* The two builders, fed by one parser.  Batches of rows go round a ring; each builder reads
 * every batch at its own pace, and the parser reuses a slot when both have left it:
 *
 *        read by columns   read by rows            written by the parser
 *              v                v                       v
 *     |  free  |########|#######|#### ready ####| filling |  free  |
 *
 * Sequence numbers only grow; slot = sequence % SLOTS.  A batch owns what its rows point to, in
 * its arena or in the mapped file. */
#include "import/work.h"

#include "base/clock.h"
#include "base/mem.h"
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
    struct import_pipe *pipe;
    pthread_t thread;
    bool is_started;
    uint64_t taken; /* batches it has left */
    bool is_done;
    bool has_failed;
    struct err err;
    bool (*add)(struct import_pipe *pipe, const struct value *row, uint64_t line,
                struct err *err);
    bool (*finish)(struct import_pipe *pipe, struct err *err);
};

struct import_pipe {
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
    struct import_files files;
    struct column_summary *summaries;
    uint64_t rows_checksum;
    _Atomic bool is_unwanted; /* as is_stopped, for the threads of the index files */
};

/* ---- the builders' side ---- */

static bool
add_to_rows(struct import_pipe *pipe, const struct value *row, uint64_t line, struct err *err)
{
    return rows_build_add(pipe->rows, row, line, err);
}

static bool
finish_rows(struct import_pipe *pipe, struct err *err)
{
    /* Beside the builder of columns, which has more to do; the file is still in memory. */
    return rows_build_finish(&pipe->rows, err) &&
           rows_checksum(pipe->files.rows_path, &pipe->rows_checksum, err);
}

static bool
add_to_columns(struct import_pipe *pipe, const struct value *row, uint64_t line UNUSED,
               struct err *err)
{
    return columns_build_add(pipe->columns, row, err);
}

static bool
build_trigrams(struct import_pipe *pipe, const struct columns *columns, struct err *err)
{
    if (!trigrams_are_wanted(columns, TRIGRAMS_TEXT_BYTES_MIN))
        return true;
    scoped_fd fd =
        fs_open_at(AT_FDCWD, pipe->files.trigrams_path, O_RDWR | O_CREAT | O_EXCL, err);
    return fd >= 0 &&
           trigrams_build(fd, columns, TRIGRAMS_TEXT_BYTES_MIN, &pipe->is_unwanted, err) &&
           fs_sync(fd, err);
}

static bool
build_tfidf(struct import_pipe *pipe, const struct columns *columns, struct err *err)
{
    const struct import_files *files = &pipe->files;
    if (files->similar_count == 0)
        return true;
    scoped_fd fd = fs_open_at(AT_FDCWD, files->tfidf_path, O_RDWR | O_CREAT | O_EXCL, err);
    return fd >= 0 &&
           tfidf_build(fd, columns, files->similar, files->similar_count, 0, 0,
                       &pipe->is_unwanted, err) &&
           fs_sync(fd, err);
}

/* Before the columns file is synced, so that its text is still in memory. */
static bool
finish_columns(struct import_pipe *pipe, struct err *err)
{
    scoped_arena a = {0};
    struct columns columns = {0};
    if (!columns_build_finish(&pipe->columns, pipe->summaries, err) ||
        !columns_open(&a, &columns, pipe->files.columns_fd, err))
        return false;
    bool ok = build_trigrams(pipe, &columns, err) && build_tfidf(pipe, &columns, err);
    columns_close(&columns);
    return ok && fs_sync(pipe->files.columns_fd, err);
}

/* The next batch, or NULL at the end. */
static const struct batch *
wait_for_batch(struct builder *b)
{
    struct import_pipe *pipe = b->pipe;
    pthread_mutex_lock(&pipe->mutex);
    while (!pipe->is_stopped && !pipe->is_ended && b->taken == pipe->filled)
        pthread_cond_wait(&pipe->changed, &pipe->mutex);
    bool is_there = !pipe->is_stopped && b->taken < pipe->filled;
    pthread_mutex_unlock(&pipe->mutex);
    return is_there ? &pipe->slots[b->taken % SLOTS] : NULL;
}

static void
leave_batch(struct builder *b)
{
    pthread_mutex_lock(&b->pipe->mutex);
    b->taken++;
    pthread_cond_broadcast(&b->pipe->changed);
    pthread_mutex_unlock(&b->pipe->mutex);
}

static bool
was_stopped(struct import_pipe *pipe)
{
    pthread_mutex_lock(&pipe->mutex);
    bool is_stopped = pipe->is_stopped;
    pthread_mutex_unlock(&pipe->mutex);
    return is_stopped;
}

static bool
build_all(struct builder *b, struct err *err)
{
    struct import_pipe *pipe = b->pipe;
    const struct batch *batch;
    while ((batch = wait_for_batch(b))) {
        for (size_t i = 0; i < batch->row_count; i++)
            if (!b->add(pipe, batch->values + i * pipe->column_count, batch->lines[i], err))
                return false;
        leave_batch(b);
    }
    return was_stopped(pipe) || b->finish(pipe, err);
}

static void *
run_builder(void *argument)
{
    struct builder *b = argument;
    struct err err = {0};
    bool ok = build_all(b, &err);
    pthread_mutex_lock(&b->pipe->mutex);
    b->has_failed = !ok;
    b->err = err;
    b->is_done = true;
    pthread_cond_broadcast(&b->pipe->changed);
    pthread_mutex_unlock(&b->pipe->mutex);
    return NULL;
}

/* ---- the parser's side ---- */

static bool
start_builders(struct import_pipe *pipe, struct err *err)
{
    pipe->builders[ROWS] = (struct builder){.add = add_to_rows, .finish = finish_rows};
    pipe->builders[COLUMNS] = (struct builder){.add = add_to_columns, .finish = finish_columns};
    for (size_t i = 0; i < BUILDER_COUNT; i++) {
        struct builder *b = &pipe->builders[i];
        b->pipe = pipe;
        errno = pthread_create(&b->thread, NULL, run_builder, b);
        if (errno)
            return err_set_errno(err, "starting a thread");
        b->is_started = true;
    }
    return true;
}

struct import_pipe *
import_pipe_open(const struct import_files *files, const struct rows_column *rows_columns,
                 const struct columns_spec *specs, size_t column_count, uint64_t row_count_max,
                 struct err *err)
{
    struct import_pipe *pipe = mem_new(struct import_pipe);
    pthread_mutex_init(&pipe->mutex, NULL);
    pthread_cond_init(&pipe->changed, NULL);
    pipe->column_count = column_count;
    pipe->batch_rows = MAX(MIN(BATCH_ROWS_MAX, BATCH_VALUES_MAX / column_count), 1);
    pipe->files = *files;
    pipe->summaries = arena_array(&pipe->arena, column_count, struct column_summary);
    for (size_t i = 0; i < SLOTS; i++) {
        pipe->slots[i].values =
            arena_array(&pipe->arena, pipe->batch_rows * column_count, struct value);
        pipe->slots[i].lines = arena_array(&pipe->arena, pipe->batch_rows, uint64_t);
    }
    pipe->rows = rows_build_begin(files->rows_path, rows_columns, column_count, err);
    if (pipe->rows)
        pipe->columns =
            columns_build_begin(files->columns_fd, specs, column_count, row_count_max, err);
    if (!pipe->columns || !start_builders(pipe, err))
        import_pipe_close(&pipe);
    return pipe;
}

/* Is there a slot that both builders have left?  Called with the mutex held. */
static bool
has_free_slot(const struct import_pipe *pipe)
{
    for (size_t i = 0; i < BUILDER_COUNT; i++)
        if (pipe->filled - pipe->builders[i].taken >= SLOTS)
            return false;
    return true;
}

static const struct builder *
failed_builder(const struct import_pipe *pipe)
{
    for (size_t i = 0; i < BUILDER_COUNT; i++)
        if (pipe->builders[i].has_failed)
            return &pipe->builders[i];
    return NULL;
}

static void
hand_over(struct import_pipe *pipe)
{
    pipe->is_filling = false;
    pthread_mutex_lock(&pipe->mutex);
    pipe->filled++;
    pthread_cond_broadcast(&pipe->changed);
    pthread_mutex_unlock(&pipe->mutex);
}

static bool
begin_batch(struct import_pipe *pipe, struct err *err)
{
    pthread_mutex_lock(&pipe->mutex);
    const struct builder *failed;
    while (!(failed = failed_builder(pipe)) && !has_free_slot(pipe))
        pthread_cond_wait(&pipe->changed, &pipe->mutex);
    if (failed)
        *err = failed->err;
    pthread_mutex_unlock(&pipe->mutex);
    if (failed)
        return false;
    struct batch *batch = &pipe->slots[pipe->filled % SLOTS];
    arena_reset(&batch->arena);
    batch->row_count = 0;
    pipe->is_filling = true;
    return true;
}

struct value *
import_pipe_next(struct import_pipe *pipe, struct arena **a, struct err *err)
{
    struct batch *batch = &pipe->slots[pipe->filled % SLOTS];
    if (pipe->is_filling &&
        (batch->row_count == pipe->batch_rows || batch->arena.total > BATCH_TEXT_BYTES))
        hand_over(pipe);
    if (!pipe->is_filling && !begin_batch(pipe, err))
        return NULL;
    batch = &pipe->slots[pipe->filled % SLOTS];
    *a = &batch->arena;
    return batch->values + batch->row_count * pipe->column_count;
}

void
import_pipe_push(struct import_pipe *pipe, uint64_t line)
{
    struct batch *batch = &pipe->slots[pipe->filled % SLOTS];
    batch->lines[batch->row_count++] = line;
}

static bool
all_done(const struct import_pipe *pipe)
{
    for (size_t i = 0; i < BUILDER_COUNT; i++)
        if (!pipe->builders[i].is_done)
            return false;
    return true;
}

/* A little while, or until something changes; true when both builders are done or one failed.
 */
static bool
wait_a_tick(struct import_pipe *pipe, bool *has_failed, struct err *err)
{
    struct timespec until = clock_wait_until(TICK_MS);
    pthread_mutex_lock(&pipe->mutex);
    const struct builder *failed = failed_builder(pipe);
    if (!failed && !all_done(pipe))
        pthread_cond_timedwait(&pipe->changed, &pipe->mutex, &until);
    failed = failed_builder(pipe);
    bool is_over = failed || all_done(pipe);
    if (failed)
        *err = failed->err;
    pthread_mutex_unlock(&pipe->mutex);
    *has_failed = failed;
    return is_over;
}

bool
import_pipe_finish(struct import_pipe *pipe, struct import_progress *progress,
                   struct column_summary *summaries, uint64_t *rows_checksum, struct err *err)
{
    if (pipe->is_filling)
        hand_over(pipe);
    pthread_mutex_lock(&pipe->mutex);
    pipe->is_ended = true;
    pthread_cond_broadcast(&pipe->changed);
    pthread_mutex_unlock(&pipe->mutex);
    bool has_failed = false;
    while (!wait_a_tick(pipe, &has_failed, err))
        if (!import_progress_at(progress, 0, 1, err))
            return false;
    if (has_failed)
        return false;
    memcpy(summaries, pipe->summaries, pipe->column_count * sizeof(*summaries));
    *rows_checksum = pipe->rows_checksum;
    return true;
}

void
import_pipe_close(struct import_pipe **pipe)
{
    struct import_pipe *p = *pipe;
    *pipe = NULL;
    if (!p)
        return;
    pthread_mutex_lock(&p->mutex);
    p->is_stopped = true;
    p->is_unwanted = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->mutex);
    for (size_t i = 0; i < BUILDER_COUNT; i++)
        if (p->builders[i].is_started)
            pthread_join(p->builders[i].thread, NULL);
    rows_build_cancel(&p->rows);
    columns_build_cancel(&p->columns);
    for (size_t i = 0; i < SLOTS; i++)
        arena_free(&p->slots[i].arena);
    arena_free(&p->arena);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}
