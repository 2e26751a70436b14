/* `playmeter serve`: makes the listening sockets, starts the roles and nginx, restarts what
 * dies and drains on SIGTERM and SIGINT.  On SIGHUP it replaces all roles by new ones with the
 * new configuration, without failing a request.  It opens no database, and no network
 * connection beside its listening sockets. */
#pragma once

#include "config/config.h"

struct supervisor_options {  /* from the command line; they override the file */
    const char *config_path; /* absolute; NULL: the defaults */
    const char *data_dir;    /* absolute */
    uint64_t port, query_workers, play_workers; /* 0: as in the file */
    int64_t start;                              /* copied to config.start */
};

/* Loads the configuration with the options applied, keys and certificate included. */
MUST_CHECK bool supervisor_load_config(struct arena *a,
                                       const struct supervisor_options *options,
                                       struct config *out, struct err *err);
/* Runs until a signal ends it; returns the exit code of the program. */
int supervisor_run(const struct supervisor_options *options);
