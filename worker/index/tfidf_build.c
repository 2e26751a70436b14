/* See tfidf.h.  Two parallel steps with a short serial one between them:
 *
 *   read     each thread a range of rows: its words get numbers of the thread's own, and each
 *            document becomes a short record of (number, tf) in the thread's stream
 *   merge    the threads' words, in row order, get their final numbers; idf is known now
 *   invert   each thread takes a part (a range of final numbers), reads all streams for it,
 *            and writes the part's lists when its turn has come
 *
 * The streams are read once per part, which costs less than holding all postings unpacked. */
#include "index/tfidf.h"

#include "base/hash.h"
#include "index/container.h"
#include "index/dictionary.h"
#include "index/tfidf_format.h"
#include "index/tokens.h"
#include "index/varint.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS_MAX 16
#define THREADS_DEFAULT 4
/* Read between two looks at whether the file is still wanted; then their pages are let go. */
#define BLOCK_ROWS 1024
/* Postings unpacked at once by one thread, 8 bytes each; a large file has larger parts, so that
 * its streams are not read too often. */
#define PART_POSTINGS_MIN ((uint64_t)3 << 20)
#define PARTS_PER_FILE 16
/* A tf below this is kept in the low bits of the word's number. */
#define TF_BITS 2
#define TF_ESCAPE ((1U << TF_BITS) - 1)

struct build;

/* What one thread reads: a range of rows. */
struct shard {
    struct build *build;
    uint64_t row_begin, row_end;
    struct dictionary words; /* the stop words first, never counted */
    uint32_t word_cap;
    uint32_t *tf;        /* by own number, of the document being read */
    uint32_t *documents; /* by own number */
    uint32_t *final;     /* by own number: the final one */
    uint32_t *seen;      /* own numbers of the document being read */
    uint32_t seen_count;
    struct buf stream; /* per document: varint count, then varint number and tf */
};

struct build {
    const struct columns *columns;
    const size_t *similar;
    size_t similar_count;
    struct shard shards[THREADS_MAX];
    unsigned thread_count;
    const _Atomic bool *is_unwanted;
    uint32_t stop_count;
    uint64_t seed;

    struct dictionary words;
    uint32_t *documents;
    double *idf;
    uint64_t *places;
    double *norms;

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uint32_t *part_ends; /* final numbers */
    size_t part_count, part_next, part_written;
    struct container_stream *postings;
    bool has_failed;
    struct err err;
};

static void *
must_have(void *p)
{
    if (!p)
        abort();
    return p;
}

static bool
is_unwanted(const struct build *b)
{
    return b->is_unwanted && *b->is_unwanted;
}

static bool
run_threads(struct build *b, void *(*run)(void *), struct err *err)
{
    pthread_t threads[THREADS_MAX];
    unsigned started = 0;
    for (; started < b->thread_count; started++) {
        errno = pthread_create(&threads[started], NULL, run, &b->shards[started]);
        if (errno)
            break;
    }
    bool ok = started == b->thread_count || err_set_errno(err, "starting a thread");
    if (!ok) {
        pthread_mutex_lock(&b->mutex);
        b->has_failed = true;
        pthread_cond_broadcast(&b->changed);
        pthread_mutex_unlock(&b->mutex);
    }
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (ok && b->has_failed)
        *err = b->err;
    if (is_unwanted(b))
        return err_set_code(err, ERR_CONFLICT, "cancelled", "the index is not wanted any more");
    return ok && !b->has_failed;
}

/* ---- read ---- */

static void
ensure_words(struct shard *s)
{
    if (s->words.count <= s->word_cap)
        return;
    uint32_t cap = MAX(s->words.count, s->word_cap * 2);
    s->tf = must_have(reallocarray(s->tf, cap, sizeof(*s->tf)));
    s->documents = must_have(reallocarray(s->documents, cap, sizeof(*s->documents)));
    s->seen = must_have(reallocarray(s->seen, cap, sizeof(*s->seen)));
    memset(s->tf + s->word_cap, 0, (cap - s->word_cap) * sizeof(*s->tf));
    memset(s->documents + s->word_cap, 0, (cap - s->word_cap) * sizeof(*s->documents));
    s->word_cap = cap;
}

static void
count_words(struct shard *s, struct str text)
{
    struct tokens tokens = tokens_of(text);
    struct str word;
    while (tokens_next(&tokens, &word)) {
        uint32_t number = dictionary_id(&s->words, word);
        if (number < s->build->stop_count)
            continue;
        ensure_words(s);
        if (s->tf[number]++ == 0)
            s->seen[s->seen_count++] = number;
    }
    tokens_free(&tokens);
}

static void
end_document(struct shard *s)
{
    size_t bytes_max = VARINT_BYTES_MAX * (1 + 2 * (size_t)s->seen_count);
    char *p = must_have(buf_reserve(&s->stream, bytes_max)), *begin = p;
    p += varint_write(p, s->seen_count);
    for (uint32_t i = 0; i < s->seen_count; i++) {
        uint32_t number = s->seen[i], more = s->tf[number] - 1;
        p += varint_write(p, (uint64_t)number << TF_BITS | MIN(more, TF_ESCAPE));
        if (more >= TF_ESCAPE)
            p += varint_write(p, more - TF_ESCAPE);
        s->documents[number]++;
        s->tf[number] = 0;
    }
    s->stream.n += (size_t)(p - begin);
    s->seen_count = 0;
}

static void
read_block(struct shard *s, uint64_t begin, uint64_t end)
{
    const struct build *b = s->build;
    for (uint64_t row = begin; row < end; row++) {
        for (size_t i = 0; i < b->similar_count; i++)
            count_words(s, column_text(&b->columns->columns[b->similar[i]], row));
        end_document(s);
    }
    for (size_t i = 0; i < b->similar_count; i++) {
        const struct column *c = &b->columns->columns[b->similar[i]];
        uint64_t from = c->text.offsets[begin], to = c->text.offsets[end];
        fs_map_drop(&b->columns->map, str_slice(c->text.bytes, from, to));
    }
}

static void *
read_rows(void *argument)
{
    struct shard *s = argument;
    for (uint64_t row = s->row_begin; row < s->row_end && !is_unwanted(s->build);) {
        uint64_t end = MIN(row + BLOCK_ROWS, s->row_end);
        read_block(s, row, end);
        row = end;
    }
    return NULL;
}

/* ---- merge ---- */

static void
merge_words(struct build *b)
{
    dictionary_init(&b->words, b->seed);
    for (unsigned i = 0; i < b->thread_count; i++) {
        struct shard *s = &b->shards[i];
        s->final = must_have(calloc(MAX(s->words.count, 1), sizeof(*s->final)));
        for (uint32_t own = b->stop_count; own < s->words.count; own++)
            s->final[own] = dictionary_id(&b->words, dictionary_element(&s->words, own));
    }
    b->documents = must_have(calloc(MAX(b->words.count, 1), sizeof(*b->documents)));
    b->places = must_have(calloc((size_t)b->words.count + 1, sizeof(*b->places)));
    for (unsigned i = 0; i < b->thread_count; i++) {
        struct shard *s = &b->shards[i];
        for (uint32_t own = b->stop_count; own < s->words.count; own++)
            b->documents[s->final[own]] += s->documents[own];
    }
    b->idf = must_have(calloc(MAX(b->words.count, 1), sizeof(*b->idf)));
    for (uint32_t word = 0; word < b->words.count; word++)
        b->idf[word] = tfidf_idf(b->columns->row_count, b->documents[word]);
}

static void
cut_parts(struct build *b)
{
    uint64_t total = 0, postings = 0;
    for (uint32_t word = 0; word < b->words.count; word++)
        total += b->documents[word];
    uint64_t part_max = MAX(PART_POSTINGS_MIN, total / PARTS_PER_FILE);
    b->part_ends = must_have(calloc(total / part_max * 2 + 2, sizeof(*b->part_ends)));
    for (uint32_t word = 0; word < b->words.count; word++) {
        if (postings && postings + b->documents[word] > part_max) {
            b->part_ends[b->part_count++] = word;
            postings = 0;
        }
        postings += b->documents[word];
    }
    b->part_ends[b->part_count++] = b->words.count;
}

/* ---- invert ---- */

/* The next document of a stream: how many words follow. */
static uint64_t
begin_document(const char **p, const char *end)
{
    uint64_t count;
    bool ok = varint_read(p, end, &count);
    assert(ok);
    return count;
}

static uint32_t
next_word(const struct shard *s, const char **p, const char *end, uint32_t *tf)
{
    uint64_t packed, more = 0;
    bool ok = varint_read(p, end, &packed);
    if ((packed & TF_ESCAPE) == TF_ESCAPE)
        ok = ok && varint_read(p, end, &more);
    assert(ok);
    *tf = (uint32_t)((packed & TF_ESCAPE) + more + 1);
    return s->final[packed >> TF_BITS];
}

static void
measure_documents(const struct shard *s)
{
    const struct build *b = s->build;
    const char *p = s->stream.p, *end = p + s->stream.n;
    for (uint64_t row = s->row_begin; row < s->row_end; row++) {
        double squares = 0;
        for (uint64_t n = begin_document(&p, end); n; n--) {
            uint32_t tf, word = next_word(s, &p, end, &tf);
            double w = tf * b->idf[word];
            squares += w * w;
        }
        b->norms[row] = squares > 0 ? 1 / sqrt(squares) : 0;
    }
}

/* Postings of a part, each word's in row order: tf in the upper half, row in the lower.  Rows
 * are below 2^32: the importer's file would have to be larger than any disk otherwise. */
struct part {
    uint32_t word_begin, word_end;
    uint64_t *postings;
    uint64_t *ends; /* by word - word_begin: behind its last posting */
    struct buf lists;
    uint64_t *list_ends;
};

static void
gather(const struct build *b, struct part *part)
{
    uint64_t total = 0;
    for (uint32_t word = part->word_begin; word < part->word_end; word++) {
        part->ends[word - part->word_begin] = total;
        total += b->documents[word];
    }
    part->postings = must_have(malloc(MAX(total, 1) * sizeof(*part->postings)));
    for (unsigned i = 0; i < b->thread_count; i++) {
        const struct shard *s = &b->shards[i];
        const char *p = s->stream.p, *end = p + s->stream.n;
        for (uint64_t row = s->row_begin; row < s->row_end; row++)
            for (uint64_t n = begin_document(&p, end); n; n--) {
                uint32_t tf, word = next_word(s, &p, end, &tf);
                if (word >= part->word_begin && word < part->word_end)
                    part->postings[part->ends[word - part->word_begin]++] =
                        (uint64_t)tf << 32 | row;
            }
    }
}

/* The smallest tf above `tf` among the postings, 0 when there is none. */
static uint32_t
next_tf(const uint64_t *postings, uint64_t n, uint32_t tf)
{
    uint32_t next = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t v = (uint32_t)(postings[i] >> 32);
        if (v > tf && (next == 0 || v < next))
            next = v;
    }
    return next;
}

static void
add_list(struct buf *out, const uint64_t *postings, uint64_t n)
{
    for (uint32_t tf = 0; (tf = next_tf(postings, n, tf));) {
        uint64_t count = 0, row_before = 0;
        for (uint64_t i = 0; i < n; i++)
            count += postings[i] >> 32 == tf;
        char *p = must_have(buf_reserve(out, VARINT_BYTES_MAX * (2 + count))), *begin = p;
        p += varint_write(p, tf);
        p += varint_write(p, count);
        for (uint64_t i = 0; i < n; i++) {
            if (postings[i] >> 32 != tf)
                continue;
            uint64_t row = postings[i] & UINT32_MAX;
            p += varint_write(p, row - row_before);
            row_before = row + 1;
        }
        out->n += (size_t)(p - begin);
    }
}

static void
invert(const struct build *b, struct part *part)
{
    uint32_t word_count = part->word_end - part->word_begin;
    part->ends = must_have(calloc(MAX(word_count, 1), sizeof(*part->ends)));
    part->list_ends = must_have(calloc(MAX(word_count, 1), sizeof(*part->list_ends)));
    buf_init(&part->lists, SIZE_MAX / 2);
    gather(b, part);
    uint64_t from = 0;
    for (uint32_t i = 0; i < word_count; i++) {
        add_list(&part->lists, part->postings + from, part->ends[i] - from);
        part->list_ends[i] = part->lists.n;
        from = part->ends[i];
    }
    free(part->postings);
    free(part->ends);
}

static bool
add_bytes(struct container_stream *s, struct str bytes, struct err *err)
{
    while (bytes.n) {
        if (!container_stream_ensure(s, CONTAINER_STREAM_ROOM_MIN, err))
            return false;
        size_t n = MIN(bytes.n, s->cap - s->n);
        memcpy(s->buffer + s->n, bytes.p, n);
        s->n += n;
        bytes = str_skip(bytes, n);
    }
    return true;
}

/* Parts go to the file in order, whoever is done first. */
static void
write_part(struct build *b, size_t index, const struct part *part)
{
    pthread_mutex_lock(&b->mutex);
    while (b->part_written != index && !b->has_failed)
        pthread_cond_wait(&b->changed, &b->mutex);
    if (!b->has_failed) {
        uint64_t at = container_stream_bytes(b->postings);
        for (uint32_t word = part->word_begin; word < part->word_end; word++)
            b->places[word + 1] = at + part->list_ends[word - part->word_begin];
        b->has_failed = !add_bytes(b->postings, buf_str(&part->lists), &b->err);
        b->part_written++;
    }
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->mutex);
}

static size_t
take_part(struct build *b)
{
    pthread_mutex_lock(&b->mutex);
    size_t index = b->has_failed || is_unwanted(b) ? b->part_count : b->part_next;
    b->part_next += index < b->part_count;
    pthread_mutex_unlock(&b->mutex);
    return index;
}

static void *
invert_parts(void *argument)
{
    const struct shard *s = argument;
    struct build *b = s->build;
    measure_documents(s);
    for (size_t i; (i = take_part(b)) < b->part_count;) {
        struct part part = {.word_begin = i ? b->part_ends[i - 1] : 0,
                            .word_end = b->part_ends[i]};
        invert(b, &part);
        write_part(b, i, &part);
        buf_free(&part.lists);
        free(part.list_ends);
    }
    return NULL;
}

/* ---- the file ---- */

static bool
write_array(struct container_writer *w, enum tfidf_section section, const void *p, size_t n,
            struct err *err)
{
    return container_write_section(w, section, CONTAINER_NO_COLUMN, (struct str){p, n}, err);
}

static bool
write_words(struct container_writer *w, const struct build *b, struct err *err)
{
    const struct dictionary *d = &b->words;
    size_t n = d->count;
    return write_array(w, TFIDF_WORDS, d->bytes.p, d->bytes.n, err) &&
           write_array(w, TFIDF_OFFSETS, d->offsets, (n + 1) * sizeof(uint64_t), err) &&
           write_array(w, TFIDF_SLOTS, d->slots, d->slot_count * sizeof(uint32_t), err) &&
           write_array(w, TFIDF_DOCUMENTS, b->documents, n * sizeof(uint32_t), err) &&
           write_array(w, TFIDF_PLACES, b->places, (n + 1) * sizeof(uint64_t), err) &&
           write_array(w, TFIDF_SEED, &b->seed, sizeof(b->seed), err) &&
           write_array(w, TFIDF_NORMS, b->norms, b->columns->row_count * sizeof(double), err);
}

static uint64_t
postings_bytes_max(const struct build *b)
{
    uint64_t postings = 0;
    for (uint32_t word = 0; word < b->words.count; word++)
        postings += b->documents[word];
    return postings * (uint64_t)3 * VARINT_BYTES_MAX;
}

static bool
write_file(struct build *b, struct container_writer *w, struct err *err)
{
    struct container_stream postings;
    container_stream_init(&postings, w, postings_bytes_max(b), MIB);
    b->postings = &postings;
    bool ok = run_threads(b, invert_parts, err) && container_stream_end(&postings, err);
    if (ok) {
        container_add_section(
            w, container_stream_section(&postings, TFIDF_POSTINGS, CONTAINER_NO_COLUMN));
        /* What follows stands right behind, not behind what could have been. */
        w->end = postings.offset + container_stream_bytes(&postings);
        ok = write_words(w, b, err);
    }
    container_stream_free(&postings);
    return ok && container_finish(w, TFIDF_KIND, TFIDF_VERSION, b->columns->row_count, err);
}

static void
begin_shards(struct build *b)
{
    for (unsigned i = 0; i < b->thread_count; i++) {
        struct shard *s = &b->shards[i];
        s->build = b;
        s->row_begin = b->columns->row_count * i / b->thread_count;
        s->row_end = b->columns->row_count * (i + 1) / b->thread_count;
        dictionary_init(&s->words, b->seed);
        buf_init(&s->stream, SIZE_MAX / 2);
        struct str stop_words = tokens_stop_words();
        for (struct str word; (word = str_cut(&stop_words, ' ')).n;)
            dictionary_id(&s->words, word);
        b->stop_count = s->words.count;
        ensure_words(s);
    }
}

static void
free_build(struct build *b)
{
    for (unsigned i = 0; i < b->thread_count; i++) {
        struct shard *s = &b->shards[i];
        dictionary_free(&s->words);
        buf_free(&s->stream);
        free(s->tf);
        free(s->documents);
        free(s->final);
        free(s->seen);
    }
    dictionary_free(&b->words);
    free(b->documents);
    free(b->idf);
    free(b->places);
    free(b->norms);
    free(b->part_ends);
    pthread_mutex_destroy(&b->mutex);
    pthread_cond_destroy(&b->changed);
}

bool
tfidf_build(int fd, const struct columns *columns, const size_t *similar, size_t similar_count,
            unsigned thread_count, const _Atomic bool *is_unwanted, struct err *err)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (thread_count == 0)
        thread_count = (unsigned)MIN(MAX(cpus, 1), THREADS_DEFAULT);
    struct build b = {
        .columns = columns,
        .similar = similar,
        .similar_count = similar_count,
        .thread_count = MIN(thread_count, THREADS_MAX),
        .is_unwanted = is_unwanted,
        .norms = must_have(calloc(MAX(columns->row_count, 1), sizeof(double))),
    };
    /* From users' words: nobody may know which of them collide. */
    random_bytes(&b.seed, sizeof(b.seed));
    pthread_mutex_init(&b.mutex, NULL);
    pthread_cond_init(&b.changed, NULL);
    begin_shards(&b);
    struct container_writer w;
    container_writer_init(&w, fd);
    bool ok = run_threads(&b, read_rows, err);
    if (ok) {
        merge_words(&b);
        cut_parts(&b);
        ok = write_file(&b, &w, err);
    }
    container_writer_free(&w);
    free_build(&b);
    return ok;
}
