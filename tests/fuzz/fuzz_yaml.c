/* Any bytes as a settings file: loaded or refused, never more. */
#include "fuzz.h"

#include "config/config.h"

static void
fuzz(struct arena *a, struct str input)
{
    struct config config;
    struct err err = {0};
    bool ok = config_parse(a, STR("fuzz"), input, &config, &err);
    assert(ok || err.kind == ERR_INVALID);
}
