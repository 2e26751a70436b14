/* It holds the writer's lock, so it refuses beside a running service. */
#include "cli/migrate.h"

#include "cli/options.h"
#include "config/config.h"
#include "process/migrate.h"
#include "process/prepare.h"

#include <stdio.h>
#include <unistd.h>

/* A folder that is not there is misspelt, and what root made in it the service could not open.
 */
static bool
run(const char *config_path, const char *data_dir, int *applied_count, struct err *err)
{
    scoped_arena a = {0};
    struct config config;
    if (access(data_dir, F_OK))
        return err_set_errno(err, "%s", data_dir);
    return config_load(&a, config_path, &config, err) &&
           prepare_user(config.server_user, data_dir, err) &&
           migrate_database(data_dir, applied_count, err);
}

int
cli_migrate(int argc, char **argv)
{
    const char *config = NULL, *data = "var";
    const struct option_row rows[] = {
        {.name = "config", .text = &config}, {.name = "data", .text = &data}, {0}};
    struct err err = {0};
    int applied_count = 0;
    if (!options_parse(argc, argv, rows, NULL))
        return 2;
    if (!run(config, data, &applied_count, &err)) {
        fprintf(stderr, "playmeter migrate: %s\n", err.detail);
        return 1;
    }
    printf("%d migrations applied\n", applied_count);
    return 0;
}
