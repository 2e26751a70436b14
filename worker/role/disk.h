/* The room that is left on the data directory's disk. */
#pragma once

#include "base/base.h"

/* Kept for the wallets and the database: what an import or any player can fill must not stop
 * earn and spend, of which 100,000 have room in it.  No import or event is taken, and no import
 * goes on, that would need it. */
#define DISK_RESERVE (64 * MIB)

/* Bytes that a process without privileges may still write where `path` is; UINT64_MAX where
 * that cannot be asked: who writes is then refused by the disk itself. */
uint64_t disk_free_bytes(const char *path);
