/* A fast hash, for tables and for checksums of this program's own files. */
#pragma once

#include "base/str.h"

/* 64 bits, well mixed, the same in every process and on every machine.  Not safe against chosen
 * input: a table over user input passes a random seed. */
uint64_t hash_bytes(struct str s, uint64_t seed);
uint64_t hash_u64(uint64_t v, uint64_t seed);

/* Of which only the low half is mixed, for a table in a loop over millions of rows: one
 * multiplication by a random odd number, whose high bits count.  Users choose the values, but
 * not the seed. */
static inline uint64_t
hash_word(uint64_t v, uint64_t seed)
{
    uint64_t mixed = (v ^ v >> 32) * (seed | 1);
    return mixed >> 32 ^ mixed >> 11;
}
