/* The SHA-256 of an open file, on a thread of its own beside those that work on the file. */
#pragma once

#include "base/fs.h"
#include "base/sha256.h"

#include <pthread.h>

struct digest {
    int fd; /* the caller's, open until digest_end */
    uint64_t offset, length;
    pthread_t thread;
    bool is_started, has_failed;
    _Atomic bool is_unwanted;
    struct err err;
    char hex[SHA256_HEX_BYTES + 1];
};
/* `digest` must not move until digest_end. */
MUST_CHECK bool digest_start(struct digest *digest, int fd, uint64_t offset, uint64_t length,
                             struct err *err);
/* Waits; digest->hex is filled when it says true. */
MUST_CHECK bool digest_finish(struct digest *digest, struct err *err);
void digest_end(struct digest *digest); /* early, too; accepts a zeroed struct */
#define scoped_digest SCOPED(digest_end) struct digest
