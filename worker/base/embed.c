#include "base/embed.h"

const struct embed_file *
embed_find(const struct embed_file *files, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(files[i].name, name))
            return &files[i];
    return NULL;
}
