/* "Did you mean": which known word an unknown one was probably meant to be.
 *
 * A candidate is near when typing errors explain the difference: at most a third of its
 * letters (at least one) are edits, where two swapped neighbours count as one edit, case is
 * ignored, and blank, '-' and '_' are equal; or when the wrong word is its beginning, of three
 * letters or more.  Anything farther is probably another word, and a suggestion would mislead.
 * A word that other services use for the same thing is suggested by a table of synonyms. */
#pragma once

#include "base/str.h"

#define SUGGEST_BYTES_MAX 64

struct synonym {
    struct str theirs, ours;
};

struct suggestion {
    struct str wrong;
    struct str best; /* empty: none is near */
    size_t edits;    /* between `wrong` and `best` */
    char text[SUGGEST_BYTES_MAX + 32];
};

struct suggestion suggest_begin(struct str wrong);
/* The nearest candidate wins; among equals, the first.  It must outlive the suggestion. */
void suggest_offer(struct suggestion *s, struct str candidate);
/* Offers `ours` where the wrong word is `theirs`.  A synonym wins over every candidate except
 * one that is the word itself. */
void suggest_synonyms(struct suggestion *s, const struct synonym *list, size_t count);
/* "; did you mean 'best'?", or "".  The text is inside the suggestion. */
const char *suggest_text(struct suggestion *s);
