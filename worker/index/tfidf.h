/* The `tfidf` file of a dataset version: inverted lists for similarity, with the definitions of
 * scikit-learn's TfidfVectorizer (stop_words="english", else its defaults):
 *
 *   document    the raw texts of the columns marked `similar`, in order, joined by blanks
 *   tf(t, d)    how often word t stands in document d
 *   idf(t)      ln((1 + documents) / (1 + documents with t)) + 1
 *   weight      tf * idf, divided by the document's Euclidean length
 *   score       the sum of the products of weights: the cosine, from 0 to 1
 *
 * Sections in the shared container (container.h), none of a column:
 *
 *   words       bytes of all words end to end, numbered by first appearance
 *   offsets     uint64[words + 1] into them
 *   documents   uint32[words]: how many documents have the word
 *   places      uint64[words + 1] into the postings
 *   slots       uint32[a power of two]: word number + 1 by hash_bytes(word, seed), 0 is free;
 *               linear probing
 *   seed        uint64
 *   norms       double[rows]: 1 / length of the document, 0 where it has no word
 *   postings    of each word its documents in groups of equal tf, tf ascending:
 *               varint tf, varint count, then varint differences of row numbers, the first from
 *               0 and each row counted from the one behind it
 *
 * Grouping by tf leaves little more than a byte a posting, and an inner loop of one addition.
 */
#pragma once

#include "index/columns.h"

#define TFIDF_FILE_NAME "tfidf"

struct tfidf {
    struct fs_map map;
    uint64_t row_count;
    uint32_t word_count;
    struct str words, postings;
    const uint64_t *offsets, *places;
    const uint32_t *documents, *slots;
    size_t slot_count;
    uint64_t seed;
    const double *norms;
};

/* Writes the file to `fd` (open for reading and writing, empty) from the columns at `similar`,
 * on `thread_count` threads (0: one per CPU, at most four) and with `round_postings` unpacked
 * at a time (0: 2^24), or those of the most frequent word; apart from its seed the file is the
 * same for any number of both.  Memory is about 4 bytes per posting, and 8 per unpacked one.
 * Does not fsync. `is_unwanted`, when not NULL, may become true meanwhile: fails with code
 * cancelled. */
MUST_CHECK bool tfidf_build(int fd, const struct columns *columns, const size_t *similar,
                            size_t similar_count, unsigned thread_count,
                            uint64_t round_postings, const _Atomic bool *is_unwanted,
                            struct err *err);

/* As columns_open and columns_verify: a file that does not fit is index_damaged, also one with
 * a norm that is none.  Lists are read as they are: of damaged ones scores may be wrong, and
 * not a number where the file changes while it is open. */
MUST_CHECK bool tfidf_open(struct tfidf *out, int fd, uint64_t row_count, struct err *err);
MUST_CHECK bool tfidf_check(int fd, uint64_t row_count, struct err *err); /* see columns.h */
MUST_CHECK bool tfidf_verify(const struct tfidf *t, struct err *err);
void tfidf_close(struct tfidf *t); /* accepts a zeroed struct */

/* One document's words with their weights, by word number. */
struct tfidf_term {
    uint32_t word;
    double weight;
};
struct tfidf_vector {
    struct tfidf_term *terms;
    size_t count;
};
/* Of a row, by reading its text again; `columns` are the version's. */
struct tfidf_vector tfidf_row_vector(struct arena *a, const struct tfidf *t,
                                     const struct columns *columns, const size_t *similar,
                                     size_t similar_count, uint64_t row);
/* The score of every row against the vector; `scores` has room for row_count. */
void tfidf_score_rows(const struct tfidf *t, const struct tfidf_vector *query, double *scores);
struct str tfidf_word(const struct tfidf *t, uint32_t word);
