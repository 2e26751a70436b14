/* Every operation that the writer runs, gathered from the folders that define them. */
#pragma once

#include "store/writer.h"

extern const struct operation *const OPERATIONS[]; /* tables; each ends with a NULL name */
extern const size_t OPERATIONS_COUNT;
