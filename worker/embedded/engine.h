/* The engine of column files: a version is a folder of rows.db and files made from it, answered
 * from by memory maps (version.h). */
#pragma once

#include "query/engine.h"

extern const struct engine EMBEDDED_ENGINE;
