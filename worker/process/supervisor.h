/* `playmeter serve`: makes the listening sockets, starts the roles and nginx, restarts what
 * dies, drains on SIGTERM and SIGINT, and on SIGHUP replaces all roles by ones with the new
 * configuration, without a request that fails.  It opens no database and no network beyond its
 * listening sockets. */
#pragma once

#include "config/config.h"

struct supervisor_options {  /* from the command line; they win over the file */
    const char *config_path; /* absolute; NULL: the defaults */
    const char *data_dir;    /* absolute */
    uint64_t port, query_workers, play_workers; /* 0: as in the file */
    int64_t start;                              /* as in struct config; not from there */
};

/* The configuration as the options have it, keys included. */
MUST_CHECK bool supervisor_load_config(struct arena *a,
                                       const struct supervisor_options *options,
                                       struct config *out, struct err *err);
/* Returns the exit code of the program. */
int supervisor_run(const struct supervisor_options *options);
