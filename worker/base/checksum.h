/* The checksum of our own files: hash_bytes over each block of CHECKSUM_BLOCK bytes in turn,
 * seeded with the result of the block before it, the first with 0.  Two different files, also
 * of different lengths, have the same checksum with a probability of 2^-64.  It detects faulty
 * disks and mistakes; it is not a defence against somebody who constructs a collision.  3 GB/s
 * on one core. */
#pragma once

#include "base/err.h"

#define CHECKSUM_BLOCK 1024

/* Continues a checksum from `seed`; all calls but the last pass a multiple of CHECKSUM_BLOCK.
 */
uint64_t checksum_add(uint64_t seed, struct str bytes);
/* The checksum of `bytes` bytes of the file from `offset`.  Read with pread, not mapped: a read
 * error or a file that is too short then fails this function, where a mapped page would raise
 * SIGBUS and end the process. */
MUST_CHECK bool checksum_file(int fd, uint64_t offset, uint64_t bytes, uint64_t *out,
                              struct err *err);
