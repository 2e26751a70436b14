/* The sink of column files: rows.db and columns of the rows as they come, then trigrams and
 * tfidf from the finished columns. */
#pragma once

#include "import/sink.h"

extern const struct sink EMBEDDED_SINK;
