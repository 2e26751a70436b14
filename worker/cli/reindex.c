/* Rebuilt files replace the old ones by renaming, so no lock is needed beside a running
 * service. */
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

/* Raises the version's edition, so that the service uses the new files from the next request.
 */
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

/* A version whose rows are lost does not stop the others from being rebuilt. */
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
        /* A running service checks the version at once; otherwise the next start does. */
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
