/* See cmd_migrate.h.  It holds the writer's lock, so it refuses beside a running service. */
#include "process/cmd_migrate.h"

#include "process/migrate.h"

#include <getopt.h>
#include <stdio.h>

int
cmd_migrate(int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"data", required_argument, NULL, 'd'}, {0}};
    const char *data_dir = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        if (option != 'd')
            return 2;
        data_dir = optarg;
    }
    if (!data_dir || optind != argc) {
        fputs("playmeter migrate: wants --data DIR and nothing else\n", stderr);
        return 2;
    }
    struct err err = {0};
    int applied_count = 0;
    if (!migrate_database(data_dir, &applied_count, &err)) {
        fprintf(stderr, "playmeter migrate: %s\n", err.detail);
        return 1;
    }
    printf("%d migrations applied\n", applied_count);
    return 0;
}
