/* The distinct elements of a list column while it is built: maps bytes to numbers, in the order
 * of first appearance.  It is in memory, which is small because elements repeat. */
#pragma once

#include "base/buf.h"
#include "base/table.h"

struct dictionary {
    struct buf bytes;  /* original, end to end */
    uint64_t *offsets; /* count + 1 */
    size_t offset_cap;
    uint32_t count;
    struct table index; /* of ids; has slots from the start */
    uint64_t seed;      /* random: elements come from users */
};

void dictionary_init(struct dictionary *d, uint64_t seed);
void dictionary_free(struct dictionary *d); /* accepts a zeroed struct */
/* The element's number; adds the element when it is new. */
uint32_t dictionary_id(struct dictionary *d, struct str element);
struct str dictionary_element(const struct dictionary *d, uint32_t id);
