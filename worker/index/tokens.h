/* Words as scikit-learn's TfidfVectorizer finds them with its defaults: the runs of two and
 * more word characters (utf8_is_word) of the lower-cased text.  We read folded text, which
 * parts from lower case only where Unicode folds two lower-case letters into one (the final
 * sigma), and at the dotted capital I: its lower case is an i and a combining dot, which is no
 * word character, so that a word ends there. */
#pragma once

#include "base/buf.h"

struct tokens {
    struct str rest;    /* not read yet */
    struct buf lowered; /* a word that does not stand in the text as it reads */
};

struct tokens tokens_of(struct str folded); /* the text stays the caller's */
void tokens_free(struct tokens *t);
/* The next word, valid until the next call; false at the end. */
bool tokens_next(struct tokens *t, struct str *word);

/* English stop words, each with a blank behind it. */
struct str tokens_stop_words(void);
