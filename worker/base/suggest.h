/* "Did you mean": which of the words that exist a wrong one was meant to be.
 *
 * Near is what a slip of the fingers explains: a third of the letters, at least one, where
 * neighbours that changed places count once and case, blank, '-' and '_' do not count; or a
 * beginning of three letters or more.  Farther is another word, and a guess there misleads.  A
 * word that other services use for the same thing is known by name. */
#pragma once

#include "base/str.h"

#define SUGGEST_BYTES_MAX 64

struct synonym {
    struct str theirs, ours;
};

struct suggestion {
    struct str wrong;
    struct str best; /* empty: none is near */
    size_t edits;    /* of best */
    char text[SUGGEST_BYTES_MAX + 32];
};

struct suggestion suggest_begin(struct str wrong);
/* The nearest candidate wins, of equals the first.  It has to outlive the suggestion. */
void suggest_offer(struct suggestion *s, struct str candidate);
/* `ours`, where the wrong word is `theirs`: wins over any other that is not the word itself. */
void suggest_synonyms(struct suggestion *s, const struct synonym *list, size_t count);
/* "; did you mean 'best'?", or "": lies in the suggestion. */
const char *suggest_text(struct suggestion *s);
