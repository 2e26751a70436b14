/* Numbers from the file are compared with the size of what they index before they are used: a
 * damaged file may give a wrong answer, but no access outside the map. */
#include "index/tfidf.h"

#include "base/hash.h"
#include "index/container.h"
#include "index/tfidf_format.h"
#include "index/tokens.h"
#include "index/varint.h"

#include <stdlib.h>
#include <string.h>

static struct str
find(const struct container *c, enum tfidf_section section)
{
    return container_find(c, section, CONTAINER_NO_COLUMN);
}

static bool
sizes_fit(const struct container *c, const struct tfidf *t)
{
    uint64_t words = t->word_count;
    size_t slots_bytes = find(c, TFIDF_SLOTS).n;
    return find(c, TFIDF_OFFSETS).n == (words + 1) * sizeof(uint64_t) &&
           find(c, TFIDF_PLACES).n == (words + 1) * sizeof(uint64_t) &&
           find(c, TFIDF_DOCUMENTS).n == words * sizeof(uint32_t) &&
           find(c, TFIDF_SEED).n == sizeof(uint64_t) &&
           find(c, TFIDF_NORMS).n / sizeof(double) == t->row_count &&
           find(c, TFIDF_NORMS).n % sizeof(double) == 0 &&
           slots_bytes % sizeof(uint32_t) == 0 && t->slot_count > words &&
           (t->slot_count & (t->slot_count - 1)) == 0;
}

static bool
norms_fit(const struct tfidf *t)
{
    for (uint64_t row = 0; row < t->row_count; row++)
        if (!(t->norms[row] >= 0 && t->norms[row] <= 1)) /* refuses NaN too */
            return false;
    return true;
}

bool
tfidf_open(struct tfidf *out, int fd, uint64_t row_count, struct err *err)
{
    struct tfidf t = {0};
    if (!fs_map_open(&t.map, fd, err))
        return false;
    struct container c;
    if (!container_open(&c, t.map.bytes, TFIDF_KIND, TFIDF_VERSION, err)) {
        tfidf_close(&t);
        return false;
    }
    t.row_count = c.row_count;
    t.word_count = (uint32_t)MIN(find(&c, TFIDF_DOCUMENTS).n / sizeof(uint32_t), UINT32_MAX);
    t.words = find(&c, TFIDF_WORDS);
    t.postings = find(&c, TFIDF_POSTINGS);
    t.offsets = (const uint64_t *)find(&c, TFIDF_OFFSETS).p;
    t.places = (const uint64_t *)find(&c, TFIDF_PLACES).p;
    t.documents = (const uint32_t *)find(&c, TFIDF_DOCUMENTS).p;
    t.slots = (const uint32_t *)find(&c, TFIDF_SLOTS).p;
    t.slot_count = find(&c, TFIDF_SLOTS).n / sizeof(uint32_t);
    t.norms = (const double *)find(&c, TFIDF_NORMS).p;
    if (!sizes_fit(&c, &t) || row_count != c.row_count || !norms_fit(&t)) {
        tfidf_close(&t);
        return container_damaged(err, "the sections of the tf-idf file do not fit");
    }
    memcpy(&t.seed, find(&c, TFIDF_SEED).p, sizeof(t.seed));
    *out = t;
    return true;
}

bool
tfidf_check(int fd, uint64_t row_count, struct err *err)
{
    return container_check(fd, TFIDF_KIND, TFIDF_VERSION, row_count, err);
}

void
tfidf_close(struct tfidf *t)
{
    fs_map_close(&t->map);
    *t = (struct tfidf){0};
}

struct str
tfidf_word(const struct tfidf *t, uint32_t word)
{
    return word < t->word_count ? str_slice(t->words, t->offsets[word], t->offsets[word + 1])
                                : (struct str){0};
}

static bool
find_word(const struct tfidf *t, struct str word, uint32_t *out)
{
    size_t mask = t->slot_count - 1, slot = hash_bytes(word, t->seed) & mask;
    for (size_t tries = 0; tries < t->slot_count && t->slots[slot]; tries++) {
        *out = t->slots[slot] - 1;
        if (str_eq(tfidf_word(t, *out), word))
            return true;
        slot = (slot + 1) & mask;
    }
    return false;
}

/* The postings of a word; never NULL, because pointers are compared with its end. */
static struct str
list_of(const struct tfidf *t, uint32_t word)
{
    struct str list = str_slice(t->postings, t->places[word], t->places[word + 1]);
    return list.p ? list : STR("");
}

/* ---- one document ---- */

static int
compare_words(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* The words of a row that the file contains, each repeated as often as it occurs. */
static size_t
read_words(struct buf *out, const struct tfidf *t, const struct columns *columns,
           const size_t *similar, size_t similar_count, uint64_t row)
{
    for (size_t i = 0; i < similar_count; i++) {
        struct tokens tokens = tokens_of(column_text(&columns->columns[similar[i]], row));
        struct str word;
        uint32_t number;
        while (tokens_next(&tokens, &word))
            if (find_word(t, word, &number))
                buf_add(out, (struct str){(const char *)&number, sizeof(number)});
        tokens_free(&tokens);
    }
    return out->n / sizeof(uint32_t);
}

struct tfidf_vector
tfidf_row_vector(struct arena *a, const struct tfidf *t, const struct columns *columns,
                 const size_t *similar, size_t similar_count, uint64_t row)
{
    scoped_buf words = {0};
    buf_init(&words, SIZE_MAX / 2);
    size_t n = read_words(&words, t, columns, similar, similar_count, row);
    uint32_t *numbers = (uint32_t *)(void *)words.p;
    struct tfidf_vector v = {.terms = arena_array(a, n, struct tfidf_term)};
    if (n)
        qsort(numbers, n, sizeof(*numbers), compare_words);
    for (size_t i = 0, next; i < n; i = next) {
        for (next = i + 1; next < n && numbers[next] == numbers[i];)
            next++;
        double idf = tfidf_idf(t->row_count, t->documents[numbers[i]]);
        v.terms[v.count++] =
            (struct tfidf_term){numbers[i], (double)(next - i) * idf * t->norms[row]};
    }
    return v;
}

/* ---- all documents ---- */

/* Reads one group of equal tf; false at the end of the list, or where it is damaged. */
static bool
add_group(const struct tfidf *t, const char **p, const char *end, double factor, double *scores)
{
    uint64_t tf, count, gap, row = 0;
    if (!varint_read(p, end, &tf) || !varint_read(p, end, &count))
        return false;
    double weight = factor * (double)tf;
    for (; count; count--) {
        if (!varint_read(p, end, &gap))
            return false;
        row += gap;
        if (row >= t->row_count)
            return false;
        scores[row++] += weight;
    }
    return true;
}

void
tfidf_score_rows(const struct tfidf *t, const struct tfidf_vector *query, double *scores)
{
    memset(scores, 0, t->row_count * sizeof(*scores));
    for (size_t i = 0; i < query->count; i++) {
        uint32_t word = query->terms[i].word;
        struct str list = list_of(t, word);
        const char *p = list.p, *end = list.p + list.n;
        double factor = query->terms[i].weight * tfidf_idf(t->row_count, t->documents[word]);
        while (p < end && add_group(t, &p, end, factor, scores))
            ;
    }
    for (uint64_t row = 0; row < t->row_count; row++)
        scores[row] *= t->norms[row];
}

/* ---- verify ---- */

static bool
verify_list(const struct tfidf *t, uint32_t word, struct err *err)
{
    struct str list = list_of(t, word);
    const char *p = list.p, *end = list.p + list.n;
    uint64_t documents = 0, tf = 0, tf_before = 0, count, gap;
    while (p < end) {
        if (!varint_read(&p, end, &tf) || !varint_read(&p, end, &count) || tf <= tf_before)
            return container_damaged(err, "the list of word %u is damaged", word);
        tf_before = tf;
        documents += count;
        for (uint64_t row = 0; count; count--, row++) {
            if (!varint_read(&p, end, &gap) || gap >= t->row_count ||
                (row += gap) >= t->row_count)
                return container_damaged(err, "the list of word %u leaves the rows", word);
        }
    }
    return documents == t->documents[word] ||
           container_damaged(err, "word %u has another number of documents", word);
}

bool
tfidf_verify(const struct tfidf *t, struct err *err)
{
    struct container c;
    if (!container_open(&c, t->map.bytes, TFIDF_KIND, TFIDF_VERSION, err) ||
        !container_verify(&c, err))
        return false;
    if (t->offsets[t->word_count] != t->words.n || t->places[t->word_count] != t->postings.n)
        return container_damaged(err, "the words of the tf-idf file do not span their bytes");
    for (uint32_t word = 0; word < t->word_count; word++) {
        if (t->offsets[word] > t->offsets[word + 1] || t->places[word] > t->places[word + 1])
            return container_damaged(err, "offsets of word %u do not ascend", word);
        if (!verify_list(t, word, err))
            return false;
    }
    for (size_t slot = 0; slot < t->slot_count; slot++)
        if (t->slots[slot] > t->word_count)
            return container_damaged(err, "a slot of the tf-idf file holds no word");
    return true;
}
