/* Writes folded text into a stream: the part of the builder that processes every byte. */
#pragma once

#include "index/container.h"

/* Appends the folding of valid UTF-8; `prefix` gets its order prefix (columns.h). */
MUST_CHECK bool columns_fold_add(struct container_stream *s, struct str text, uint64_t *prefix,
                                 struct err *err);
