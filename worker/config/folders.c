/* The service's own folders in the data directory.  The settings say where other files are
 * written, so those paths are compared with these, without reading the disk: the folders may
 * not exist yet. */
#include "config/config.h"

#include "base/buf.h"

#define PATH_BYTES_MAX (16 * KIB)
/* Replaces the data directory when it is unknown, so that relative paths can still be
 * compared. */
#define ANY_DATA_DIR "/(data)"

const char *const CONFIG_FOLDERS[] = {"datasets", "spool", "run", "logs", "nginx"};
const size_t CONFIG_FOLDERS_COUNT = COUNT_OF(CONFIG_FOLDERS);

/* Removes empty components, "." and "..". */
static void
add_path(struct buf *out, struct str path)
{
    while (path.n) {
        struct str part = str_cut(&path, '/');
        if (part.n == 0 || str_eq(part, STR(".")))
            continue;
        if (!str_eq(part, STR(".."))) {
            buf_add_char(out, '/');
            buf_add(out, part);
            continue;
        }
        while (out->n && out->p[out->n - 1] != '/')
            out->n--;
        out->n -= out->n > 0;
    }
}

/* Is it that folder of the service's own, or within it? */
static bool
is_own(struct str path, struct str data_dir, const char *name)
{
    scoped_buf folder;
    buf_init(&folder, PATH_BYTES_MAX);
    add_path(&folder, data_dir);
    add_path(&folder, str_from(name));
    return str_starts(path, buf_str(&folder)) &&
           (path.n == folder.n || path.p[folder.n] == '/');
}

bool
config_check_output(const struct config *config, struct err *err)
{
    struct str output = config->reports_output_dir;
    struct str data_dir = config->data_dir.n ? config->data_dir : STR(ANY_DATA_DIR);
    scoped_buf path;
    buf_init(&path, PATH_BYTES_MAX);
    if (!str_starts(output, STR("/")))
        add_path(&path, data_dir);
    add_path(&path, output);
    for (size_t i = 0; i < CONFIG_FOLDERS_COUNT; i++)
        if (is_own(buf_str(&path), data_dir, CONFIG_FOLDERS[i]))
            return err_set(err, ERR_INVALID,
                           "%" STR_FMT ":%u: reports.output_dir is a folder outside of the "
                           "service's own, such as %s in DATA, got '%" STR_FMT "'",
                           STR_ARG(config->path), config->output_dir_line, CONFIG_FOLDERS[i],
                           STR_ARG(output));
    return true;
}
