/* It takes the writer's lock, so it refuses to run beside a running service. */
#include "cli/migrate.h"

#include "cli/options.h"
#include "config/config.h"
#include "process/migrate.h"
#include "process/prepare.h"

#include <stdio.h>

int
cli_migrate(int argc, char **argv)
{
    const char *config_path, *data;
    scoped_arena a = {0};
    struct config config;
    struct err err = {0};
    int applied_count = 0;
    if (!options_parse_data(argc, argv, &config_path, &data))
        return 2;
    if (!prepare_command(&a, config_path, data, &config, &err) ||
        !migrate_database(data, &applied_count, &err)) {
        fprintf(stderr, "playmeter migrate: %s\n", err.detail);
        return 1;
    }
    printf("%d migrations applied\n", applied_count);
    return 0;
}
