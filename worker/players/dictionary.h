/* Is a dictionary of cracklib whole?  Asked before cracklib reads it, since cracklib takes a
 * lookup that fails for a word that is not there, prints lines of its own about it, and copies
 * words of any length into 32 bytes.  As its packer.h and packlib.c write them, numbers in the
 * byte order of the machine:
 *
 *   .pwi  | magic 4 | words 4 | words per block 2 | 0 2 | offset of each block in .pwd, 4 each
 *   .pwd  a block: | first word | NUL | then of each further word: bytes shared with the word
 *         before 1 | rest of the word | NUL |; a NUL for each word that the last one lacks
 *   .hwm  | of each first byte of a word: the number of its last word, 4 each | may be missing
 *
 * Each offset is where the block before ends and words ascend by bytes, so a file that is cut,
 * emptied, mixed up with another or written over does not pass.  A word that was replaced by
 * another one of its place does. */
#pragma once

#include "base/err.h"

#define DICTIONARY_WORD_BYTES 32 /* with a NUL */

/* Words that a lookup has to find, NUL-terminated. */
struct dictionary_sample {
    char first[DICTIONARY_WORD_BYTES], middle[DICTIONARY_WORD_BYTES],
        last[DICTIONARY_WORD_BYTES];
    uint32_t word_count;
};

/* Reads all of it: a millisecond for the distribution's.  `path` is without .pwd.  invalid
 * where it is damaged; else as reading a file fails; the detail names the file. */
MUST_CHECK bool dictionary_check(const char *path, struct dictionary_sample *out,
                                 struct err *err);
