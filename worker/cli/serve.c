#include "cli/serve.h"

#include "base/random.h"
#include "cli/options.h"
#include "process/supervisor.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Makes the path absolute, because the working directory changes.  Links are not resolved: a
 * reload reads the file that the link then points to. */
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
    /* Here links are resolved, because the working directory of a process has none. */
    bool has_data_dir = realpath(data, data_dir) || make_absolute(data, data_dir);
    if (!has_data_dir || (config && !make_absolute(config, config_path))) {
        fprintf(stderr, "playmeter serve: the path %s is too long\n", data);
        return 2;
    }
    /* Random rather than the time, since a clock may be wrong. */
    random_bytes(&options.start, sizeof(options.start));
    options.start = MAX(options.start & INT64_MAX, 1);
    options.data_dir = data_dir;
    options.config_path = config ? config_path : NULL;
    return supervisor_run(&options);
}
