#include "embedded/engine.h"

#include "embedded/version.h"

const struct engine EMBEDDED_ENGINE = {
    .start = embedded_start,
    .stop = embedded_stop,
    .walk = embedded_walk,
};
