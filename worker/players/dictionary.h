/* Checks whether a dictionary of cracklib is undamaged, before cracklib reads it: cracklib
 * takes a failed lookup for a word that is not in the dictionary, prints messages of its own,
 * and copies words of any length into 32 bytes.  The format, as its packer.h and packlib.c
 * write it, numbers in the byte order of the machine:
 *
 *   .pwi  | magic 4 | words 4 | words per block 2 | 0 2 | offset of each block in .pwd, 4 each
 *   .pwd  a block: | first word | NUL | then for each further word: bytes shared with the word
 *         before 1 | rest of the word | NUL |; a NUL for each word missing in the last block
 *   .hwm  | for each first byte, the number of its last word, 4 each |; may be missing
 *
 * Each block must begin where the one before ends, and words must ascend by bytes, so a file
 * that was truncated, emptied, overwritten or mixed with another one is refused.  A word
 * replaced by another that fits its place is not noticed. */
#pragma once

#include "base/err.h"

#define DICTIONARY_WORD_BYTES 32 /* NUL included */

/* Words that a lookup must find, NUL-terminated. */
struct dictionary_sample {
    char first[DICTIONARY_WORD_BYTES], middle[DICTIONARY_WORD_BYTES],
        last[DICTIONARY_WORD_BYTES];
    uint32_t word_count;
};

/* Reads the whole dictionary: a millisecond for the distribution's.  `path` is without .pwd.
 * invalid when it is damaged; other errors as of fs_read_named; the detail names the file. */
MUST_CHECK bool dictionary_check(const char *path, struct dictionary_sample *out,
                                 struct err *err);
