#include "base/checksum.h"

#include "base/fs.h"
#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>

/* Stays in the second-level cache between the copy and the hash. */
#define READ_BYTES (256 * KIB)
static_assert(READ_BYTES % CHECKSUM_BLOCK == 0, "all reads but the last are whole blocks");

uint64_t
checksum_add(uint64_t seed, struct str bytes)
{
    while (bytes.n) {
        size_t n = MIN(bytes.n, CHECKSUM_BLOCK);
        seed = hash_bytes((struct str){bytes.p, n}, seed);
        bytes = (struct str){bytes.p + n, bytes.n - n};
    }
    return seed;
}

bool
checksum_file(int fd, uint64_t offset, uint64_t bytes, uint64_t *out, struct err *err)
{
    uint64_t checksum = 0;
    char *buffer = mem_alloc(READ_BYTES);
    bool ok = true;
    while (ok && bytes) {
        size_t n = MIN(bytes, READ_BYTES);
        ok = fs_read_at(fd, buffer, n, offset, err);
        if (ok)
            checksum = checksum_add(checksum, (struct str){buffer, n});
        offset += n;
        bytes -= n;
    }
    free(buffer);
    if (ok)
        *out = checksum;
    return ok;
}
