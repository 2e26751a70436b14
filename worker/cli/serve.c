#include "cli/serve.h"

#include "base/random.h"
#include "cli/options.h"
#include "process/supervisor.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Absolute, for the working directory changes.  Links are kept: a reload reads what the
 * settings file's link leads to by then. */
static bool
make_absolute(const char *path, char out[PATH_MAX])
{
    char here[PATH_MAX];
    if (path[0] == '/')
        return snprintf(out, PATH_MAX, "%s", path) < PATH_MAX;
    return getcwd(here, sizeof(here)) &&
           snprintf(out, PATH_MAX, "%s/%s", here, path) < PATH_MAX;
}

int
cli_serve(int argc, char **argv)
{
    const char *config = NULL, *data = "var";
    char config_path[PATH_MAX], data_dir[PATH_MAX];
    struct supervisor_options options = {0};
    const struct option_row rows[] = {
        {.name = "config", .text = &config},
        {.name = "data", .text = &data},
        {.name = "port", .number = &options.port, .min = 1, .max = 65535},
        {.name = "query_workers", .number = &options.query_workers, .min = 1, .max = 128},
        {.name = "play_workers", .number = &options.play_workers, .min = 1, .max = 256},
        {0},
    };
    if (!options_parse(argc, argv, rows, NULL))
        return 2;
    /* The data directory's links are resolved, as those of a process's working directory are.
     */
    bool has_data_dir = realpath(data, data_dir) || make_absolute(data, data_dir);
    if (!has_data_dir || (config && !make_absolute(config, config_path))) {
        fprintf(stderr, "playmeter serve: the path %s is too long\n", data);
        return 2;
    }
    /* By chance and not by the clock, which may be wrong; SQLite's numbers have a sign. */
    random_bytes(&options.start, sizeof(options.start));
    options.start = MAX(options.start & INT64_MAX, 1);
    options.data_dir = data_dir;
    options.config_path = config ? config_path : NULL;
    return supervisor_run(&options);
}
