/* The checksum that our own files are held against: hash_bytes over each KiB in turn, seeded
 * with the result of the one before, the first with 0.  Two files that differ in whatever way,
 * in length too, have the same one with a probability of 2^-64; it guards against disks and
 * mistakes, not against somebody who wants the same one.  3 GB/s on one core. */
#pragma once

#include "base/err.h"

#define CHECKSUM_BLOCK 1024

/* Continues a checksum; all chunks but the last are whole blocks. */
uint64_t checksum_add(uint64_t seed, struct str bytes);
/* Of a part of a file.  Read, not mapped: where the disk gives no bytes, or the file ends
 * early, this fails, and a map would end the process. */
MUST_CHECK bool checksum_file(int fd, uint64_t offset, uint64_t bytes, uint64_t *out,
                              struct err *err);
