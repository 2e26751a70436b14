/* Rows by a title as somebody typed it, against the title column, both folded.
 *
 * First come the titles that hold the words as typed (titles_words.h), then those that hold all
 * but the last and a word that begins with it, then those that are only like the text
 * (titles_trigrams.h).  Equal scores are told apart by edit distance, then by row order, so the
 * answer is always the same. */
#pragma once

#include "query/ask.h"

#define TITLES_QUERY_BYTES_MAX 200
#define TITLES_SCORE_MIN 0.2

struct titles_match {
    uint64_t row; /* from 0 */
    double score; /* TITLES_SCORE_MIN to 1 */
};

/* The `limit` best of the rows that are asked, best first.  Errors: bad_parameter for a text
 * that is empty or too long, and with code no_title for a dataset without a title column; busy
 * with code deadline. */
MUST_CHECK bool titles_search(struct ask *ask, struct str text, uint64_t limit,
                              struct titles_match **out, size_t *out_count, struct err *err);
/* The row a title means, of all rows: the first of exactly that title, else the first that
 * differs only in case (both of score 1), else the best of titles_search.  Fails with
 * not_found. */
MUST_CHECK bool titles_resolve(const struct ask *ask, struct str text, struct titles_match *out,
                               struct err *err);

/* What is only like the text has a score of 0.2 to 0.6, below whatever holds the words; by the
 * similarity of titles_trigrams.h, and back. */
static inline double
titles_alike_score(double similarity)
{
    return 0.1 + similarity / 2;
}

static inline double
titles_alike_similarity(double score)
{
    return 2 * (score - 0.1);
}

struct titles_candidate {
    struct titles_match match;
    struct str title; /* folded */
    size_t distance;  /* filled by titles_rank */
};
/* Puts the candidates in order, best first; `folded` is the text. */
void titles_rank(struct titles_candidate *list, size_t count, struct str folded);
