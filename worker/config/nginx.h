/* nginx's configuration out of ours and of the list of paths: the parts under nginx/ with the
 * words between two @ filled in.  Rendering touches no file; whoever writes them uses mode
 * 0600, since keys are in them. */
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

/* `config` must have its files read (config_read_keys, config_read_tls).  Asserts that every
 * @word@ is known. */
void nginx_render(struct arena *a, const struct config *config,
                  struct nginx_locations locations, struct nginx_files *out);
/* Makes `folder` hold exactly these files: writes a new folder beside it and renames that.  */
MUST_CHECK bool nginx_write(const struct nginx_files *files, const char *folder,
                            struct err *err);
/* Does `folder` hold exactly these files? */
bool nginx_is_written(const struct nginx_files *files, const char *folder);
