/* Splits text into words as scikit-learn's TfidfVectorizer does by default: runs of two or
 * more word characters (utf8_is_word) of the lower-cased text.  The input here is folded text,
 * which differs from lower case in two cases: Unicode folds the final sigma to the usual one;
 * and lower-casing the dotted capital I gives an i and a combining dot, which is not a word
 * character, so a word ends there. */
#pragma once

#include "base/buf.h"

struct tokens {
    struct str rest;    /* not read yet */
    struct buf lowered; /* the current word, when it differs from the bytes of the text */
};

struct tokens tokens_of(struct str folded); /* the text stays the caller's */
void tokens_free(struct tokens *t);
/* The next word, valid until the next call; false at the end. */
bool tokens_next(struct tokens *t, struct str *word);

/* The English stop words, each followed by a blank. */
struct str tokens_stop_words(void);
