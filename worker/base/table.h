/* Places in an array by the hash of what stands there: open addressing with linear probing, at
 * most three quarters full.  The entries stay the caller's, of any shape; the table keeps 32
 * bits of a hash with each place, so that few entries are looked at in vain and growing looks
 * at none.
 *
 *     struct table_probe probe = table_probe(hash);
 *     while (table_next(&table, &probe))
 *         if (str_eq(names[probe.place], name))
 *             return probe.place;
 *     names[count] = name;
 *     table_add(&table, hash, count);
 *
 * 11 to 21 bytes per entry.  Disadvantages: nothing is taken out again, and an entry that is
 * found costs a cache line here and one in the array: for small keys that are asked for once
 * per cell, a table that holds them itself (index/distinct.h) is faster. */
#pragma once

#include "base/arena.h"

/* A zeroed struct is an empty table, so there is no init. */
struct table {
    struct arena
        *arena;        /* where the slots lie; NULL: in memory of their own, until table_free */
    uint64_t *slots;   /* low half of the hash, then place + 1; 0: free */
    size_t slot_count; /* a power of two, or 0 */
    size_t count;
};

/* Not for a table in an arena, which goes with it.  Accepts a zeroed struct. */
void table_free(struct table *t);
/* Room for `count` entries in all, so that adding them does not grow the table. */
void table_reserve(struct table *t, size_t count);
/* An entry of this hash, below UINT32_MAX; that an equal one is not there is the caller's to
 * know.  The low half of the hash has to be well mixed (base/hash.h), with a random seed where
 * users choose the keys.  Out of memory ends the process. */
void table_add(struct table *t, uint64_t hash, uint32_t place);

struct table_probe {
    size_t at;     /* slots from the first one that are seen */
    uint32_t hash; /* low half */
    uint32_t place;
};

static inline struct table_probe
table_probe(uint64_t hash)
{
    return (struct table_probe){.at = (uint32_t)hash, .hash = (uint32_t)hash};
}

/* The next entry that may have the hash, each once and in no order; the caller compares.  The
 * table must not change meanwhile. */
static inline bool
table_next(const struct table *t, struct table_probe *probe)
{
    if (t->count == 0)
        return false;
    for (uint64_t slot; (slot = t->slots[probe->at & (t->slot_count - 1)]);) {
        probe->at++;
        if (slot >> 32 == probe->hash) {
            probe->place = (uint32_t)slot - 1;
            return true;
        }
    }
    return false;
}

#define scoped_table SCOPED(table_free) struct table
