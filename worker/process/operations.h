/* Every operation that the writer runs, collected from the folders that define them. */
#pragma once

#include "writer/client.h"

extern const struct operation *const OPERATIONS[]; /* tables; each ends with a NULL name */
extern const size_t OPERATIONS_COUNT;
