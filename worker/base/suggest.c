#include "base/suggest.h"

#include <stdio.h>

#define PREFIX_BYTES_MIN 3

static struct str
normalize(struct str word, char out[SUGGEST_BYTES_MAX])
{
    size_t n = MIN(word.n, (size_t)SUGGEST_BYTES_MAX);
    for (size_t i = 0; i < n; i++) {
        char c = word.p[i];
        bool is_upper = c >= 'A' && c <= 'Z';
        bool is_gap = c == ' ' || c == '-';
        out[i] = is_upper ? (char)(c | 32) : is_gap ? '_' : c;
    }
    return (struct str){out, n};
}

struct suggestion
suggest_begin(struct str wrong)
{
    return (struct suggestion){.wrong = wrong, .edits = SIZE_MAX};
}

void
suggest_offer(struct suggestion *s, struct str candidate)
{
    char wrong_bytes[SUGGEST_BYTES_MAX], candidate_bytes[SUGGEST_BYTES_MAX];
    struct str wrong = normalize(s->wrong, wrong_bytes);
    struct str normal = normalize(candidate, candidate_bytes);
    size_t edits_max = wrong.n < 2 ? 0 : MAX(wrong.n / 3, (size_t)1);
    size_t edits = str_distance(wrong, normal);
    if (edits > edits_max && wrong.n >= PREFIX_BYTES_MIN && str_starts(normal, wrong))
        edits = edits_max;
    if (candidate.n == 0 || edits > edits_max || edits >= s->edits)
        return;
    s->best = candidate;
    s->edits = edits;
}

void
suggest_synonyms(struct suggestion *s, const struct synonym *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (s->edits > 0 && str_eq_ascii_nocase(s->wrong, list[i].theirs)) {
            s->best = list[i].ours;
            s->edits = 0;
        }
}

const char *
suggest_text(struct suggestion *s)
{
    struct str best = str_slice(s->best, 0, SUGGEST_BYTES_MAX);
    s->text[0] = '\0';
    if (best.n)
        snprintf(s->text, sizeof(s->text), "; did you mean '%" STR_FMT "'?", STR_ARG(best));
    return s->text;
}
