/* The `tfidf` file of a dataset version: inverted lists for similarity, with the definitions of
 * scikit-learn's TfidfVectorizer (stop_words="english", other parameters at their defaults):
 *
 *   document    the raw texts of the columns marked `similar`, in order, joined by blanks
 *   tf(t, d)    how often word t occurs in document d
 *   idf(t)      ln((1 + documents) / (1 + documents with t)) + 1
 *   weight      tf * idf, divided by the document's Euclidean length
 *   score       the sum of the products of weights: the cosine, from 0 to 1
 *
 * Sections in the shared container (container.h), none of which belongs to a column:
 *
 *   words       bytes of all words end to end, numbered by first appearance
 *   offsets     uint64[words + 1] into them
 *   documents   uint32[words]: how many documents contain the word
 *   places      uint64[words + 1] offsets into the postings
 *   slots       uint32[a power of two]: word number + 1, placed by hash_bytes(word, seed) with
 *               linear probing; 0 is free
 *   seed        uint64
 *   norms       double[rows]: 1 / length of the document's vector, 0 when it has no word
 *   postings    for each word its documents in groups of equal tf, tf ascending:
 *               varint tf, varint count, then `count` varints: for each row, ascending,
 *               how many rows were skipped since the one before, or since the beginning
 *
 * Grouping by tf costs little more than a byte per posting, and leaves one addition in the
 * inner loop. */
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

/* Writes the file to `fd` (open for reading and writing, empty) from the columns at the
 * indexes `similar`, on `thread_count` threads (0: one per CPU, at most four).
 * `round_postings` (0: 2^24) postings are unpacked at a time, or those of the most frequent
 * word if they are more.  Apart from its seed the file does not depend on either number.
 * Memory is about 4 bytes per posting, and 8 per unpacked one.  Does not fsync.
 * `is_unwanted`, when not NULL, may become true meanwhile: the build then fails with code
 * cancelled. */
MUST_CHECK bool tfidf_build(int fd, const struct columns *columns, const size_t *similar,
                            size_t similar_count, unsigned thread_count,
                            uint64_t round_postings, const _Atomic bool *is_unwanted,
                            struct err *err);

/* As columns_open and columns_verify: a file that does not pass is index_damaged; tfidf_open
 * also checks that norms are from 0 to 1.  Lists are not checked: damaged ones give wrong
 * scores, and NaN if the file changes while it is open. */
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
/* The vector of a row, made by reading its text again; `columns` are the version's. */
struct tfidf_vector tfidf_row_vector(struct arena *a, const struct tfidf *t,
                                     const struct columns *columns, const size_t *similar,
                                     size_t similar_count, uint64_t row);
/* The score of every row against the vector; `scores` has room for row_count. */
void tfidf_score_rows(const struct tfidf *t, const struct tfidf_vector *query, double *scores);
struct str tfidf_word(const struct tfidf *t, uint32_t word);
