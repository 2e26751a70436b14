/* See cmd_reindex.h.  Beside a running service it only reads the database; the files it makes
 * are taken over by renaming, so no lock is needed there. */
#include "process/cmd_reindex.h"

#include "base/clock.h"
#include "config/config.h"
#include "datasets/reindex.h"
#include "process/options.h"
#include "process/prepare.h"
#include "process/writer.h"

#include <stdio.h>
#include <unistd.h>

struct arguments {
    const char *dataset, *config, *data;
};

static bool
reindex_all(struct arena *a, const struct arguments *arguments,
            const struct writer_access *service, struct err *err)
{
    struct dataset_version *versions;
    size_t count;
    if (!dataset_version_list(a, service->db, str_from(arguments->dataset), &versions, &count,
                              err))
        return false;
    for (size_t i = 0; i < count; i++) {
        uint64_t begin_us = clock_steady_us();
        if (!reindex_version(arguments->data, &versions[i], err))
            return false;
        printf("version %lld: %lld rows indexed in %.1f s\n", (long long)versions[i].number,
               (long long)versions[i].row_count,
               (double)(clock_steady_us() - begin_us) / 1000000);
    }
    if (service->lock_fd < 0)
        puts("the running service takes the new files where it found none; for the others send "
             "it SIGHUP");
    return true;
}

static bool
run(const struct arguments *arguments, struct err *err)
{
    scoped_arena a = {0};
    struct config config;
    struct writer_access service = {.lock_fd = -1};
    if (access(arguments->data, F_OK))
        return err_set_errno(err, "%s", arguments->data);
    bool ok = config_load(&a, arguments->config, &config, err) &&
              prepare_user(config.server_user, arguments->data, err) &&
              writer_access_open(arguments->data, &service, err) &&
              reindex_all(&a, arguments, &service, err);
    writer_access_close(&service);
    return ok;
}

int
cmd_reindex(int argc, char **argv)
{
    struct arguments arguments = {.data = "var"};
    const struct option_row rows[] = {{.name = "dataset", .text = &arguments.dataset},
                                      {.name = "config", .text = &arguments.config},
                                      {.name = "data", .text = &arguments.data},
                                      {0}};
    struct err err = {0};
    if (!options_parse(argc, argv, rows, NULL))
        return 2;
    if (!arguments.dataset) {
        fputs("playmeter reindex: --dataset NAME is needed; playmeter reindex --help says "
              "more\n",
              stderr);
        return 2;
    }
    if (run(&arguments, &err))
        return 0;
    fprintf(stderr, "playmeter reindex: %s: %s\n", err_code(&err), err.detail);
    return 1;
}
