/* It holds the writer's lock, so it refuses beside a running service. */
#include "cli/migrate.h"

#include "cli/options.h"
#include "config/config.h"
#include "process/migrate.h"
#include "process/prepare.h"

#include <stdio.h>

int
cli_migrate(int argc, char **argv)
{
    const char *config_path = NULL, *data = "var";
    const struct option_row rows[] = {
        {.name = "config", .text = &config_path}, {.name = "data", .text = &data}, {0}};
    scoped_arena a = {0};
    struct config config;
    struct err err = {0};
    int applied_count = 0;
    if (!options_parse(argc, argv, rows, NULL))
        return 2;
    if (!prepare_command(&a, config_path, data, &config, &err) ||
        !migrate_database(data, &applied_count, &err)) {
        fprintf(stderr, "playmeter migrate: %s\n", err.detail);
        return 1;
    }
    printf("%d migrations applied\n", applied_count);
    return 0;
}
