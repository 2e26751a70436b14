/* The files it makes are taken over by renaming, so no lock is needed
 * beside a running service. */
#include "cli/reindex.h"

#include "base/clock.h"
#include "cli/options.h"
#include "config/config.h"
#include "embedded/files.h"
#include "process/prepare.h"
#include "process/writer.h"

#include <stdio.h>
#include <string.h>

struct arguments {
    const char *dataset, *config, *data;
};

/* The service takes the files up with the next request, since their edition rises. */
static bool
reindex_one(const struct arguments *arguments, const struct writer_access *service,
            const struct dataset_version *version, struct err *err)
{
    uint64_t begin_us = clock_steady_us();
    if (!EMBEDDED_FILES.reindex(arguments->data, version, err) ||
        !integrity_store_reindexed(service->writer, version, STR(""), STR(""), err))
        return false;
    printf("version %lld: %lld rows indexed in %.1f s\n", (long long)version->number,
           (long long)version->row_count, (double)(clock_steady_us() - begin_us) / 1000000);
    return true;
}

/* One whose rows are lost keeps none of the others from being mended. */
static bool
reindex_all(struct arena *a, const struct arguments *arguments,
            const struct writer_access *service, struct err *err)
{
    struct dataset_version *versions;
    size_t count;
    bool ok = true;
    if (!dataset_version_list(a, service->db, str_from(arguments->dataset), &versions, &count,
                              err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct err why = {0}, ignored;
        if (reindex_one(arguments, service, &versions[i], &why))
            continue;
        if (strcmp(err_code(&why), INTEGRITY_ROWS_DAMAGED) != 0) {
            *err = why;
            return false;
        }
        /* A running service that does not know it finds out at once; another at its start. */
        (void)!integrity_doubt(service->writer, &versions[i], &ignored);
        fprintf(stderr, "version %lld: %s\n", (long long)versions[i].number, why.detail);
        ok = err_set_code(err, ERR_CONFLICT, INTEGRITY_ROWS_DAMAGED,
                          "some versions of %s were left as they are", arguments->dataset);
    }
    return ok;
}

static bool
run(const struct arguments *arguments, struct err *err)
{
    scoped_arena a = {0};
    struct config config;
    struct writer_access service = {.lock_fd = -1};
    bool ok = prepare_command(&a, arguments->config, arguments->data, &config, err) &&
              writer_access_open(arguments->data, &service, err) &&
              reindex_all(&a, arguments, &service, err);
    writer_access_close(&service);
    return ok;
}

int
cli_reindex(int argc, char **argv)
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
