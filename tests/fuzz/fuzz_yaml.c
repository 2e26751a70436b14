/* Any bytes as a settings file: loaded or refused, never more. */
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scoped_arena a = {0};
    struct config config;
    struct err err = {0};
    bool ok =
        config_parse(&a, STR("fuzz"), (struct str){(const char *)data, size}, &config, &err);
    assert(ok || err.kind == ERR_INVALID);
    return 0;
}
