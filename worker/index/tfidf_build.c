/* Threads work in parallel, with short serial steps between:
 *
 *   read     each thread reads a range of rows: it numbers the words it finds, and each
 *            document becomes a short record of (number, tf) in the thread's stream
 *   merge    the threads' words get their final numbers, in row order; idf is known now
 *   rounds   over ranges of final numbers, as many words as there is room for their postings:
 *     scatter  each thread reads its own stream and puts the postings of this round's words in
 *              their places; in a word's postings those of earlier rows come first
 *     encode   each thread writes the lists of a slice of the round's words
 *
 * The streams are read once per round, which costs less than holding all postings unpacked. */
#include "index/tfidf.h"

#include "base/mem.h"
#include "base/random.h"
#include "index/container.h"
#include "index/dictionary.h"
#include "index/tfidf_format.h"
#include "index/tokens.h"
#include "index/varint.h"
#include "index/word_table.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS_MAX 16
#define THREADS_DEFAULT 4
/* Rows between two checks whether the file is still wanted; their pages are then released. */
#define BLOCK_ROWS 1024
/* Postings unpacked at once, 8 bytes each. */
#define ROUND_POSTINGS_DEFAULT ((uint64_t)16 << 20)
/* In a stream, a tf below 1 << TF_BITS is kept in the low bits of the word's number; a larger
 * one follows as a number of its own. */
#define TF_BITS 2
#define TF_ESCAPE ((1U << TF_BITS) - 1)
#define ELSEWHERE UINT32_MAX

struct build;

struct word_counts {
    uint32_t tf;        /* in the document being read */
    uint32_t documents; /* of this shard that contain the word */
};

/* What one thread does: a range of rows, and a slice of each round's words. */
struct shard {
    struct build *build;
    uint64_t row_begin, row_end;
    struct word_table words; /* freed after the merge; the stop words come first, not counted */
    uint32_t word_count;
    uint32_t word_cap;
    struct word_counts *counts; /* by the thread's own number */
    uint32_t *final;            /* own number to final number */
    double *idf;                /* by own number */
    uint32_t *at;               /* by own number: place of its next posting, or ELSEWHERE */
    uint32_t *seen;             /* own numbers in the document being read */
    uint32_t seen_count;
    struct buf stream; /* uint32_t; per document its word count, then number and tf of each */
    uint32_t slice_begin, slice_end;
    struct buf lists; /* of the slice */
};

/* The postings of a round, word by word, each word's in row order: tf in the upper half, row
 * in the lower.  Row numbers fit: a dataset of 2^32 rows would need a CSV larger than any
 * allowed. */
struct round {
    uint32_t word_begin, word_end;
    uint32_t *ends;      /* by word - word_begin: end of its postings */
    uint64_t *list_ends; /* by word - word_begin: end of its list in its slice's lists */
    uint64_t *postings;
    uint64_t posting_cap;
};

struct build {
    const struct columns *columns;
    const size_t *similar;
    size_t similar_count;
    struct shard shards[THREADS_MAX];
    unsigned thread_count;
    const _Atomic bool *is_unwanted;
    uint64_t round_postings;
    uint32_t stop_count;
    uint64_t seed;

    struct dictionary words;
    uint32_t *documents;
    uint64_t *places;
    double *norms;
    struct round round;
};

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
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (started < b->thread_count)
        return err_set_errno(err, "starting a thread");
    return !is_unwanted(b) ||
           err_set_code(err, ERR_CONFLICT, "cancelled", "the index is not wanted any more");
}

/* ---- read ---- */

static void
ensure_words(struct shard *s)
{
    if (s->words.count <= s->word_cap)
        return;
    uint32_t cap = MAX(s->words.count, s->word_cap * 2);
    assert(cap <= UINT32_MAX >> TF_BITS);
    s->counts = mem_resize(s->counts, cap, sizeof(*s->counts));
    s->seen = mem_resize(s->seen, cap, sizeof(*s->seen));
    memset(s->counts + s->word_cap, 0, (cap - s->word_cap) * sizeof(*s->counts));
    s->word_cap = cap;
}

static void
count_words(struct shard *s, struct str text)
{
    struct tokens tokens = tokens_of(text);
    struct str word;
    while (tokens_next(&tokens, &word)) {
        uint32_t number = word_table_number(&s->words, word);
        if (number < s->build->stop_count)
            continue;
        ensure_words(s);
        if (s->counts[number].tf++ == 0)
            s->seen[s->seen_count++] = number;
    }
    tokens_free(&tokens);
}

static void
end_document(struct shard *s)
{
    size_t bytes_max = (1 + 2 * (size_t)s->seen_count) * sizeof(uint32_t);
    uint32_t *p = (void *)buf_reserve(&s->stream, bytes_max), *begin = p;
    *p++ = s->seen_count;
    for (uint32_t i = 0; i < s->seen_count; i++) {
        struct word_counts *counts = &s->counts[s->seen[i]];
        uint32_t more = counts->tf - 1;
        *p++ = s->seen[i] << TF_BITS | MIN(more, TF_ESCAPE);
        if (more >= TF_ESCAPE)
            *p++ = more;
        counts->documents++;
        counts->tf = 0;
    }
    s->stream.n += (size_t)(p - begin) * sizeof(*p);
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
        fs_map_drop(&b->columns->map, column_texts(c, begin, end));
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

/* Frees the shard's own table before the rounds, which need the most memory. */
static void
merge_shard(struct build *b, struct shard *s)
{
    s->word_count = s->words.count;
    s->final = mem_array(s->word_count, uint32_t);
    for (uint32_t own = b->stop_count; own < s->word_count; own++)
        s->final[own] = dictionary_id(&b->words, word_table_word(&s->words, own));
    word_table_free(&s->words);
    s->idf = mem_array(s->word_count, double);
    s->at = mem_array(s->word_count, uint32_t);
}

static void
merge_words(struct build *b)
{
    dictionary_init(&b->words, b->seed);
    for (unsigned i = 0; i < b->thread_count; i++)
        merge_shard(b, &b->shards[i]);
    b->documents = mem_array(b->words.count, uint32_t);
    b->places = mem_array((size_t)b->words.count + 1, uint64_t);
    for (unsigned i = 0; i < b->thread_count; i++) {
        struct shard *s = &b->shards[i];
        for (uint32_t own = b->stop_count; own < s->word_count; own++)
            b->documents[s->final[own]] += s->counts[own].documents;
    }
}

/* ---- measure ---- */

/* Reads the next word of a stream; the caller knows from its rows where the stream ends. */
static inline uint32_t
next_word(const uint32_t **p, uint32_t *tf)
{
    uint32_t packed = *(*p)++, more = packed & TF_ESCAPE;
    if (more == TF_ESCAPE)
        more = *(*p)++;
    *tf = more + 1;
    return packed >> TF_BITS;
}

static const uint32_t *
stream_of(const struct shard *s)
{
    return (const void *)s->stream.p;
}

static void *
measure_documents(void *argument)
{
    struct shard *s = argument;
    const struct build *b = s->build;
    for (uint32_t own = b->stop_count; own < s->word_count; own++)
        s->idf[own] = tfidf_idf(b->columns->row_count, b->documents[s->final[own]]);
    const uint32_t *p = stream_of(s);
    for (uint64_t row = s->row_begin; row < s->row_end; row++) {
        double squares = 0;
        for (uint32_t n = *p++; n; n--) {
            uint32_t tf, own = next_word(&p, &tf);
            double w = tf * s->idf[own];
            squares += w * w;
        }
        b->norms[row] = squares > 0 ? 1 / sqrt(squares) : 0;
    }
    return NULL;
}

/* ---- rounds ---- */

static void
begin_rounds(struct build *b)
{
    struct round *r = &b->round;
    uint64_t total = 0, most = 0;
    for (uint32_t word = 0; word < b->words.count; word++) {
        total += b->documents[word];
        most = MAX(most, b->documents[word]);
    }
    r->posting_cap = MAX(MIN(total, b->round_postings), MAX(most, 1));
    r->postings = mem_resize(NULL, r->posting_cap, sizeof(*r->postings));
    r->ends = mem_array(b->words.count, uint32_t);
    r->list_ends = mem_array(b->words.count, uint64_t);
}

/* Gives each shard its places for a word's postings: the first shard's come first. */
static void
place_words(struct build *b)
{
    struct round *r = &b->round;
    for (unsigned i = 0; i < b->thread_count; i++) {
        struct shard *s = &b->shards[i];
        for (uint32_t own = b->stop_count; own < s->word_count; own++) {
            uint32_t word = s->final[own];
            s->at[own] = ELSEWHERE;
            if (word < r->word_begin || word >= r->word_end)
                continue;
            s->at[own] = r->ends[word - r->word_begin];
            r->ends[word - r->word_begin] += s->counts[own].documents;
        }
    }
}

/* Takes the next words, from the last round's `word_end` on, as many as there is room for;
 * false when none is left. */
static bool
next_round(struct build *b)
{
    struct round *r = &b->round;
    uint64_t n = 0, cut = 0;
    uint32_t word = r->word_begin = r->word_end;
    for (; word < b->words.count && n + b->documents[word] <= r->posting_cap; word++) {
        r->ends[word - r->word_begin] = (uint32_t)n;
        n += b->documents[word];
    }
    r->word_end = word;
    place_words(b);
    word = r->word_begin;
    for (unsigned i = 0; i < b->thread_count; i++) {
        struct shard *s = &b->shards[i];
        s->slice_begin = word;
        for (; word < r->word_end && cut * b->thread_count < n * (i + 1); word++)
            cut += b->documents[word];
        s->slice_end = word;
    }
    return r->word_end > r->word_begin;
}

static void *
scatter(void *argument)
{
    const struct shard *s = argument;
    uint64_t *postings = s->build->round.postings;
    const uint32_t *p = stream_of(s);
    for (uint64_t row = s->row_begin; row < s->row_end; row++)
        for (uint32_t n = *p++; n; n--) {
            uint32_t tf, own = next_word(&p, &tf);
            if (s->at[own] != ELSEWHERE)
                postings[s->at[own]++] = (uint64_t)tf << 32 | row;
        }
    return NULL;
}

/* The smallest tf among the postings, and how many have it. */
struct group {
    uint32_t tf;
    uint64_t count;
};

static inline void
count_tf(struct group *least, uint32_t tf)
{
    if (tf < least->tf)
        *least = (struct group){.tf = tf};
    least->count += tf == least->tf;
}

/* Moves the postings of one group out after the other; the rest close up. */
static void
add_list(struct buf *out, uint64_t *postings, uint64_t n)
{
    struct group group = {.tf = UINT32_MAX};
    for (uint64_t i = 0; i < n; i++)
        count_tf(&group, (uint32_t)(postings[i] >> 32));
    while (n) {
        struct group next = {.tf = UINT32_MAX};
        uint64_t left = 0, row_before = 0;
        char *p = buf_reserve(out, VARINT_BYTES_MAX * (2 + group.count));
        char *begin = p;
        p += varint_write(p, group.tf);
        p += varint_write(p, group.count);
        for (uint64_t i = 0; i < n; i++) {
            if (postings[i] >> 32 != group.tf) {
                count_tf(&next, (uint32_t)(postings[i] >> 32));
                postings[left++] = postings[i];
                continue;
            }
            uint64_t row = postings[i] & UINT32_MAX;
            p += varint_write(p, row - row_before);
            row_before = row + 1;
        }
        out->n += (size_t)(p - begin);
        group = next;
        n = left;
    }
}

static void *
encode(void *argument)
{
    struct shard *s = argument;
    struct round *r = &s->build->round;
    buf_clear(&s->lists);
    for (uint32_t word = s->slice_begin; word < s->slice_end; word++) {
        uint32_t i = word - r->word_begin, begin = i ? r->ends[i - 1] : 0;
        add_list(&s->lists, r->postings + begin, r->ends[i] - begin);
        r->list_ends[i] = s->lists.n;
    }
    return NULL;
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

static bool
write_slices(struct build *b, struct container_stream *out, struct err *err)
{
    for (unsigned i = 0; i < b->thread_count; i++) {
        const struct shard *s = &b->shards[i];
        uint64_t at = container_stream_bytes(out);
        for (uint32_t word = s->slice_begin; word < s->slice_end; word++)
            b->places[word + 1] = at + b->round.list_ends[word - b->round.word_begin];
        if (!add_bytes(out, buf_str(&s->lists), err))
            return false;
    }
    return true;
}

static bool
invert(struct build *b, struct container_stream *out, struct err *err)
{
    begin_rounds(b);
    while (next_round(b))
        if (!run_threads(b, scatter, err) || !run_threads(b, encode, err) ||
            !write_slices(b, out, err))
            return false;
    return container_stream_end(out, err);
}

/* ---- the file ---- */

static bool
write_array(struct container_writer *w, enum tfidf_section section, const void *p, size_t n,
            struct err *err)
{
    return container_write_section(w, section, CONTAINER_NO_COLUMN, (struct str){p, n}, err);
}

/* The low half of a slot in memory is a slot of the file. */
static bool
write_slots(struct container_writer *w, const struct table *index, struct err *err)
{
    uint32_t *slots = mem_array(index->slot_count, uint32_t);
    for (size_t i = 0; i < index->slot_count; i++)
        slots[i] = (uint32_t)index->slots[i];
    bool ok = write_array(w, TFIDF_SLOTS, slots, index->slot_count * sizeof(*slots), err);
    free(slots);
    return ok;
}

static bool
write_words(struct container_writer *w, const struct build *b, struct err *err)
{
    const struct dictionary *d = &b->words;
    size_t n = d->count;
    return write_array(w, TFIDF_WORDS, d->bytes.p, d->bytes.n, err) &&
           write_array(w, TFIDF_OFFSETS, d->offsets, (n + 1) * sizeof(uint64_t), err) &&
           write_slots(w, &d->index, err) &&
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
    bool ok = run_threads(b, measure_documents, err) && invert(b, &postings, err);
    if (ok) {
        container_add_section(
            w, container_stream_section(&postings, TFIDF_POSTINGS, CONTAINER_NO_COLUMN));
        /* The next section goes directly after the lists, not after the reserved place. */
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
        word_table_init(&s->words, b->seed);
        buf_init(&s->stream, SIZE_MAX / 2);
        buf_init(&s->lists, SIZE_MAX / 2);
        struct str stop_words = tokens_stop_words();
        for (struct str word; (word = str_cut(&stop_words, ' ')).n;)
            word_table_number(&s->words, word);
        b->stop_count = s->words.count;
        ensure_words(s);
    }
}

static void
free_build(struct build *b)
{
    for (unsigned i = 0; i < b->thread_count; i++) {
        struct shard *s = &b->shards[i];
        word_table_free(&s->words);
        buf_free(&s->stream);
        buf_free(&s->lists);
        free(s->counts);
        free(s->final);
        free(s->idf);
        free(s->at);
        free(s->seen);
    }
    dictionary_free(&b->words);
    free(b->documents);
    free(b->places);
    free(b->norms);
    free(b->round.postings);
    free(b->round.ends);
    free(b->round.list_ends);
}

bool
tfidf_build(int fd, const struct columns *columns, const size_t *similar, size_t similar_count,
            unsigned thread_count, uint64_t round_postings, const _Atomic bool *is_unwanted,
            struct err *err)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (thread_count == 0)
        thread_count = (unsigned)MIN(MAX(cpus, 1), THREADS_DEFAULT);
    struct build b = {
        .columns = columns,
        .similar = similar,
        .similar_count = similar_count,
        .thread_count = MIN(thread_count, THREADS_MAX),
        .round_postings = round_postings ? round_postings : ROUND_POSTINGS_DEFAULT,
        .is_unwanted = is_unwanted,
        .norms = mem_array(columns->row_count, double),
    };
    /* Random, because users choose the words and must not know which of them collide. */
    random_bytes(&b.seed, sizeof(b.seed));
    begin_shards(&b);
    struct container_writer w;
    container_writer_init(&w, fd);
    bool ok = run_threads(&b, read_rows, err);
    if (ok) {
        merge_words(&b);
        ok = write_file(&b, &w, err);
    }
    container_writer_free(&w);
    free_build(&b);
    return ok;
}
