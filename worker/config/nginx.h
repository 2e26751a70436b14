/* nginx's configuration out of ours and of the list of paths: the parts under nginx/ with the
 * words between two @ filled in.  Rendering touches no file; whoever writes them uses mode 0600,
 * since keys are in them. */
#pragma once

#include "config/nginx_location.h"

struct nginx_locations {
    struct nginx_location *rows;
    size_t count;
};

struct nginx_file {
    struct str name; /* without folder; nginx.conf is the one nginx is started with */
    struct str text;
};

struct nginx_files {
    struct nginx_file *files; /* sorted by name */
    size_t count;
};

/* `config` has its files read (config_read_keys, config_read_tls).  A word that is not known is
 * our own mistake and asserts. */
void nginx_render(struct arena *a, const struct config *config,
                  struct nginx_locations locations, struct nginx_files *out);
/* Makes `folder` hold exactly these files: built beside it, then put in its place.  */
MUST_CHECK bool nginx_write(const struct nginx_files *files, const char *folder,
                            struct err *err);
/* Whether `folder` holds these very files. */
bool nginx_is_written(const struct nginx_files *files, const char *folder);
