/* Threads take segments one after another, read the text of each once (trigrams_make.h) and
 * write the result at the end of the file. */
#include "index/trigrams.h"

#include "base/mem.h"
#include "index/container.h"
#include "index/container_format.h"
#include "index/trigrams_make.h"

#include <stdlib.h>
#include <unistd.h>

#define THREADS_MAX 4
/* Text per segment.  Memory per thread is one to two times this.  Half of it does not make
 * searches slower, and balances threads of different speed; a segment's directory is 8 bytes
 * for each of its trigrams (7,000 for English), beside lists of a third of the text. */
#define SEGMENT_TEXT_BYTES (8 * MIB)
#define SEGMENT_ROWS_STEP 64

struct work { /* one segment to be built */
    uint32_t column, segment;
    uint64_t first_row;
    uint32_t row_count;
};

struct build {
    const struct columns *columns;
    const _Atomic bool *is_unwanted;
    struct trigrams_entry *entries;
    size_t entry_count;
    struct work *works;
    size_t work_count, work_cap;
    _Atomic size_t next_work;
    struct trigrams_numbers numbers;
    pthread_mutex_t mutex; /* guards the fields below */
    struct container_writer writer;
    _Atomic bool has_failed;
    struct err err; /* of the first failure */
};

struct worker {
    struct build *build;
    pthread_t thread;
    bool is_started;
};

/* Only reserving the place and entering the section into the table need the mutex. */
static bool
write_section(struct build *b, const struct work *work, struct str bytes, struct err *err)
{
    struct container_section section = {
        .kind = TRIGRAMS_SECTION_SEGMENT + work->segment,
        .column = work->column,
        .bytes = bytes.n,
        .checksum = checksum_add(0, bytes),
    };
    pthread_mutex_lock(&b->mutex);
    section.offset = container_reserve(&b->writer, bytes.n);
    container_add_section(&b->writer, section);
    pthread_mutex_unlock(&b->mutex);
    return fs_write_at(b->writer.fd, bytes, section.offset, err);
}

static bool
is_stopped(const struct build *b)
{
    return b->has_failed || (b->is_unwanted && *b->is_unwanted);
}

static bool
make_segment(struct build *b, struct trigrams_maker *m, const struct work *work,
             struct err *err)
{
    const struct column *c = &b->columns->columns[work->column];
    uint64_t from = work->first_row, to = from + work->row_count;
    trigrams_make_begin(m, work->row_count);
    for (uint32_t i = 0; i < work->row_count; i++)
        trigrams_make_add(m, i, column_text(c, from + i));
    /* The pages of this segment's text are not needed again. */
    fs_map_drop(&b->columns->map, column_texts(c, from, to));
    struct str section = trigrams_make_finish(m, from);
    bool ok = write_section(b, work, section, err);
    free((void *)section.p);
    return ok;
}

/* ---- the threads ---- */

static void
make_segments(struct build *b, struct trigrams_maker *m)
{
    while (!is_stopped(b)) {
        struct err err = {0};
        size_t i = b->next_work++;
        if (i >= b->work_count)
            return;
        if (make_segment(b, m, &b->works[i], &err))
            continue;
        pthread_mutex_lock(&b->mutex);
        if (!b->has_failed)
            b->err = err;
        b->has_failed = true;
        pthread_mutex_unlock(&b->mutex);
    }
}

static void *
run_worker(void *argument)
{
    struct worker *w = argument;
    struct trigrams_maker *m = mem_alloc(sizeof(*m));
    trigrams_maker_init(m, &w->build->numbers);
    make_segments(w->build, m);
    trigrams_maker_free(m);
    free(m);
    return NULL;
}

/* Works on the caller's thread too; when a thread cannot be started, fewer do the work. */
static void
run_workers(struct build *b)
{
    struct worker workers[THREADS_MAX] = {0};
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = MIN(MIN((size_t)MAX(cpus, 1), THREADS_MAX), b->work_count);
    for (size_t i = 0; i < count; i++) {
        workers[i].build = b;
        workers[i].is_started =
            i && pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]) == 0;
    }
    if (count)
        run_worker(&workers[0]);
    for (size_t i = 1; i < count; i++)
        if (workers[i].is_started)
            pthread_join(workers[i].thread, NULL);
}

/* ---- the file ---- */

static bool
is_indexed(const struct column *c, uint64_t text_bytes_min)
{
    return column_type_is_textual(c->type) && column_text_bytes(c) >= text_bytes_min;
}

bool
trigrams_are_wanted(const struct columns *columns, uint64_t text_bytes_min)
{
    for (size_t i = 0; i < columns->column_count; i++)
        if (is_indexed(&columns->columns[i], text_bytes_min))
            return true;
    return false;
}

/* How many rows make a segment of about the wanted size; always whole words of a bitmap. */
static uint32_t
segment_rows(const struct column *c, uint64_t first_row)
{
    uint64_t row = first_row;
    uint64_t last = MIN(c->row_count, first_row + TRIGRAMS_MAKE_ROWS_MAX);
    while (row < last && column_texts(c, first_row, row).n < SEGMENT_TEXT_BYTES)
        row = MIN(row + SEGMENT_ROWS_STEP, last);
    return (uint32_t)(row - first_row);
}

static void
plan_column(struct build *b, uint32_t index, const struct column *c)
{
    struct trigrams_entry *entry = &b->entries[b->entry_count++];
    *entry = (struct trigrams_entry){.column = index, .text_bytes = column_text_bytes(c)};
    for (uint64_t row = 0; row < c->row_count;) {
        b->works = mem_grow(b->works, &b->work_cap, b->work_count + 1, sizeof(*b->works));
        struct work *work = &b->works[b->work_count++];
        *work = (struct work){index, entry->segment_count++, row, segment_rows(c, row)};
        row += work->row_count;
    }
}

static bool
write_file(struct build *b, struct err *err)
{
    struct str entries = {(const char *)b->entries, b->entry_count * sizeof(*b->entries)};
    return container_write_section(&b->writer, TRIGRAMS_SECTION_COLUMNS, CONTAINER_NO_COLUMN,
                                   entries, err) &&
           container_finish(&b->writer, TRIGRAMS_KIND, TRIGRAMS_VERSION, b->columns->row_count,
                            err);
}

static bool
build_file(struct build *b, struct err *err)
{
    run_workers(b);
    if (b->has_failed) {
        *err = b->err;
        return false;
    }
    if (is_stopped(b))
        return err_set_code(err, ERR_CONFLICT, "cancelled", "the index is not wanted any more");
    return write_file(b, err);
}

bool
trigrams_build(int fd, const struct columns *columns, uint64_t text_bytes_min,
               const _Atomic bool *is_unwanted, struct err *err)
{
    struct build *b = mem_new(struct build);
    struct str *texts = mem_array(columns->column_count, struct str);
    b->entries = mem_array(columns->column_count, struct trigrams_entry);
    b->columns = columns;
    b->is_unwanted = is_unwanted;
    pthread_mutex_init(&b->mutex, NULL);
    container_writer_init(&b->writer, fd);
    trigrams_numbers_init(&b->numbers);
    for (size_t i = 0; i < columns->column_count; i++)
        if (is_indexed(&columns->columns[i], text_bytes_min)) {
            const struct column *c = &columns->columns[i];
            texts[b->entry_count] = column_texts(c, 0, c->row_count);
            plan_column(b, (uint32_t)i, c);
        }
    trigrams_numbers_choose(&b->numbers, texts, b->entry_count);
    bool ok = build_file(b, err);
    trigrams_numbers_free(&b->numbers);
    container_writer_free(&b->writer);
    pthread_mutex_destroy(&b->mutex);
    free(b->works);
    free(b->entries);
    free(texts);
    free(b);
    return ok;
}
