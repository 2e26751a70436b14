/* UTF-8 as RFC 3629 defines it (no overlong forms, no surrogates, nothing above U+10FFFF), and
 * the case folding on which all matching and ordering of text is based. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

/* Bytes of the valid sequence that `s` starts with (1-4), or 0 when it starts with none. */
size_t utf8_sequence(struct str s);
/* The code point of such a sequence; `n` is what utf8_sequence said. */
uint32_t utf8_decode(const char *p, size_t n);
/* Writes 1-4 bytes and returns how many.  `code_point` must be a scalar value. */
size_t utf8_encode(uint32_t code_point, char out[4]);
/* Offset of the first byte that is not part of a valid sequence; s.n when all is valid. */
size_t utf8_valid_prefix(struct str s);
bool utf8_is_ascii(struct str s);
bool utf8_is_valid(struct str s);
/* Returns the same offset; adds to `*sequences` how many sequences of two and more bytes come
 * before it. */
size_t utf8_count_prefix(struct str s, uint64_t *sequences);

/* Letters, digits and other numerals of any script, and the underscore: Python's \w. */
bool utf8_is_word(uint32_t code_point);
/* Characters that show nothing: separators, control and format characters (Unicode's Z*, Cc and
 * Cf: no-break space, zero-width characters, marks of direction). */
bool utf8_is_blank(uint32_t code_point);

/* Simple case folding: the C and S mappings of Unicode's CaseFolding.txt, one code point to one
 * code point; accents are kept (é is not e).  Deterministic and idempotent. */
uint32_t utf8_fold_code_point(uint32_t code_point);
/* Appends the folding of valid UTF-8.  Growth is at most 3 bytes out for 2 in. */
void utf8_fold(struct buf *out, struct str s);
/* The same into memory of the caller that holds at least s.n * 3 / 2 + 4 bytes; returns the
 * bytes written.  `out` and `s` may overlap only when `out` == s.p and s is ASCII. */
size_t utf8_fold_into(char *out, struct str s);
/* Upper bound of the bytes that folding `s` yields; s.n when it is all ASCII. */
uint64_t utf8_folded_bytes_max(struct str s);
/* The same in the arena. */
struct str utf8_folded(struct arena *a, struct str s);
/* Appends valid UTF-8 in upper case by the simple mappings, one code point to one, except that
 * ß becomes SS.  Grows as utf8_fold does. */
void utf8_upper(struct buf *out, struct str s);
/* Latin letters as names are written in ASCII: accents are dropped (é: e), ligatures and
 * crossed letters are spelt out (ß: ss, æ: ae, ø: o); other characters stay, and so do bytes
 * that are not valid UTF-8. */
struct str utf8_without_marks(struct arena *a, struct str s);
