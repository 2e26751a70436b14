/* Values to bins. */
#pragma once

#include "index/columns.h"
#include "query/histogram.h"

/* 1 <= bin_count <= HISTOGRAM_BINS_MAX */
void embedded_histogram_make(struct arena *a, const struct column *column,
                             const struct bitmap *rows, size_t bin_count,
                             struct histogram *out);
