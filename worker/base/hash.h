/* A fast hash, for tables and for checksums of this program's own files. */
#pragma once

#include "base/str.h"

/* 64 bits, well mixed, stable across processes and machines; not for untrusted adversaries, so
 * a table over user input mixes in a random seed. */
uint64_t hash_bytes(struct str s, uint64_t seed);
uint64_t hash_u64(uint64_t v, uint64_t seed);
