/* How many different numbers of 64 bits were seen: a growing set for one column at a time.
 * Numbers stand in their slots: 5, 11 and 54 ns each with 300, 50,000 and 1,000,000 different
 * ones, where places in an array (base/table.h) take 9, 10 and 70. */
#pragma once

#include "base/base.h"

struct distinct {
    uint64_t *slots; /* 0 when free; a power of two of them */
    size_t slot_count;
    uint64_t count; /* without the number 0 */
    bool has_zero;
    uint64_t seed;
};

void distinct_init(struct distinct *d, uint64_t seed);
void distinct_free(struct distinct *d);  /* accepts a zeroed struct */
void distinct_clear(struct distinct *d); /* empty again; memory is kept if it is small */
void distinct_add(struct distinct *d, uint64_t v);
uint64_t distinct_count(const struct distinct *d);
