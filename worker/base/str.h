/* Text to read: a pointer and a length, passed by value, never owning what it points to and
 * never relying on a NUL at its end.  A function that returns one says how long it stays
 * valid. */
#pragma once

#include "base/base.h"

struct str {
    const char *p; /* may be NULL when n is 0 */
    size_t n;      /* bytes */
};

/* A str over a string literal; also valid as a static initialiser. */
#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_INIT(literal)                                                                      \
    {                                                                                          \
        "" literal, sizeof(literal) - 1                                                        \
    }

/* printf("%" STR_FMT, STR_ARG(s)).  A str longer than INT_MAX prints as empty. */
#define STR_FMT ".*s"
#define STR_ARG(s) ((s).n <= INT32_MAX ? (int)(s).n : 0), (s).p

struct str str_from(const char *text); /* NULL gives an empty str */
bool str_eq(struct str a, struct str b);
bool str_eq_ascii_nocase(struct str a, struct str b);
/* By bytes; a prefix sorts before the longer text: <0, 0, >0. */
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* Offset of the first `needle` in `s`, or -1.  An empty needle is found at 0. */
ptrdiff_t str_find(struct str s, struct str needle);
ptrdiff_t str_find_char(struct str s, char c);
struct str str_slice(struct str s, size_t from, size_t to); /* clamps to s */
struct str str_skip(struct str s, size_t n);                /* clamps to s */
/* Is every byte an ASCII letter, a digit or one of `others`?  And is every one a lower-case hex
 * digit?  Both are true of "". */
bool str_is_alnum(struct str s, const char *others);
bool str_is_hex(struct str s);
int str_hex_digit(char c);          /* 0 to 15, in either case; -1 for another character */
bool str_has_control(struct str s); /* a byte below the blank, or DEL */
/* Without leading and trailing space, tab, CR, LF, VT and FF. */
struct str str_trim(struct str s);
/* Cut the part before the next `separator` off `*rest` and return it; the separator is dropped.
 * Without one, all of it.  `*rest` becomes {NULL, 0} when nothing is left, so a loop reads
 * `while (rest.p) { part = str_cut(&rest, ','); ... }` and sees a trailing empty part. */
struct str str_cut(struct str *rest, char separator);
/* The optimal string alignment distance in bytes: insertions, deletions, substitutions and
 * swaps of two neighbours, each counted as one.  Only the first 64 bytes of each side are
 * compared. */
size_t str_distance(struct str a, struct str b);
