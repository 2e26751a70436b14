/* From a request to a queued job.  The source is in place under spool/<job id>/ before the job
 * is in the queue, so that nobody claims a job without its file. */
#include "import/work.h"

#include "base/num.h"
#include "fetch/fetch.h"
#include "role/disk.h"
#include "json/read.h"
#include "json/write.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#define JOB_OPTIONS_BYTES_MAX MIB
#define REDIRECTS_MAX 3

struct fetch_policy
import_fetch_policy(struct arena *a, const struct config *config)
{
    struct config_list list = config->fetch_ports;
    uint16_t *ports = arena_array(a, list.count, uint16_t);
    for (size_t i = 0; i < list.count; i++) {
        uint64_t port;
        bool is_port = num_parse_u64(list.items[i], &port);
        assert(is_port && port <= UINT16_MAX); /* the settings were checked */
        ports[i] = (uint16_t)port;
    }
    return (struct fetch_policy){
        .bytes_max = config->imports_file_bytes_max,
        .connect_timeout_ms = (unsigned)config->fetch_connect_timeout,
        .total_timeout_ms = (unsigned)config->fetch_total_timeout,
        .low_speed_bytes_per_s = (unsigned)config->fetch_low_speed,
        .low_speed_s = (unsigned)MAX(config->fetch_low_speed_time / 1000, 1),
        .ports = ports,
        .port_count = list.count,
        .allows_loopback = config->fetch_allow_loopback,
        .redirects_max = REDIRECTS_MAX,
    };
}

static bool
check_options(struct arena *a, const struct import_request *request, struct err *err)
{
    const struct import_options *options = request->options;
    const struct csv_hints *hints = &options->dialect;
    const struct config_dataset *declared =
        config_find_dataset(request->config, request->dataset);
    struct schema schema;
    if (hints->knows_delimiter && hints->knows_quote &&
        hints->dialect.delimiter == hints->dialect.quote)
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("quote"),
                            "delimiter and quote are two different characters, got '%c' for "
                            "both",
                            hints->dialect.quote);
    return !declared || (schema_from_config(a, declared, &schema, err) &&
                         import_check_fixed(a, request->dataset, &schema, options, err));
}

static bool
check_request(struct arena *a, const struct import_request *request, struct str *url,
              struct err *err)
{
    bool has_file = request->source_path || request->source_fd;
    *url = request->options->url;
    if (!schema_dataset_name_is_valid(request->dataset))
        return err_set_code(err, ERR_INVALID, "bad_dataset_name",
                            "a dataset name is [a-z][a-z0-9_]{0,62}, got '%" STR_FMT "'",
                            STR_ARG(str_slice(request->dataset, 0, 100)));
    if (!has_file && url->n == 0)
        return err_set_code(err, ERR_INVALID, "no_source",
                            "an import needs a file or a url, got neither");
    if (has_file && url->n)
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("url"),
                            "an import takes a file or a url, got both");
    if (!check_options(a, request, err))
        return false;
    if (url->n == 0)
        return true;
    struct fetch_policy policy = import_fetch_policy(a, request->config);
    return fetch_check_url(a, *url, &policy, url, err);
}

static bool
copy_file(int in, const char *to, struct err *err)
{
    scoped_fd out = fs_open_at(AT_FDCWD, to, O_WRONLY | O_CREAT | O_EXCL, err);
    if (out < 0)
        return false;
    for (;;) {
        ssize_t n = sendfile(out, in, NULL, 64 * MIB);
        if (n == 0)
            return true;
        if (n < 0 && errno != EINTR)
            return err_set_errno(err, "copying the source to the spool");
    }
}

static bool
place_source(const struct import_request *request, const char *to, struct err *err)
{
    if (request->source_fd)
        return copy_file(*request->source_fd, to, err);
    if (linkat(AT_FDCWD, request->source_path, AT_FDCWD, to, 0) == 0)
        return true;
    if (errno != EXDEV && errno != EPERM && errno != EMLINK)
        return err_set_errno(err, "%s", request->source_path);
    scoped_fd in = fs_open_at(AT_FDCWD, request->source_path, O_RDONLY, err);
    return in >= 0 && copy_file(in, to, err);
}

static bool
measure_source(const char *path, uint64_t *offset, uint64_t *length, struct err *err)
{
    uint64_t bytes;
    scoped_fd fd = fs_open_at(AT_FDCWD, path, O_RDONLY, err);
    if (fd < 0 || !fs_size(fd, &bytes, err))
        return false;
    if (*offset == 0 && *length == 0)
        *length = bytes;
    if (*offset <= bytes && *length <= bytes - *offset)
        return true;
    return err_set(err, ERR_MALFORMED, "the source ends after %llu bytes, %llu were announced",
                   (unsigned long long)bytes, (unsigned long long)(*offset + *length));
}

static struct str
job_options(struct arena *a, const struct import_request *request, struct str url,
            uint64_t offset, uint64_t length)
{
    struct import_options options = *request->options;
    options.url = url;
    scoped_buf inner, outer;
    buf_init(&inner, JOB_OPTIONS_BYTES_MAX);
    buf_init(&outer, JOB_OPTIONS_BYTES_MAX);
    import_options_add_json(&inner, &options);
    struct json j = json_write(&outer);
    json_begin_object(&j);
    json_member_raw(&j, "import", buf_str(&inner));
    json_member_u64(&j, "offset", offset);
    json_member_u64(&j, "length", length);
    json_end_object(&j);
    return arena_str(a, buf_str(&outer));
}

static bool
spool_and_enqueue(struct arena *a, struct writer *w, const struct import_request *request,
                  struct str url, const char *folder, struct str id, struct err *err)
{
    uint64_t offset = request->source_offset, length = request->source_length;
    const char *source = arena_printf(a, "%s/source", folder).p;
    const char *mark = arena_printf(a, "%s/" DATASET_ARRIVING_MARK, folder).p;
    if (!fs_make_dirs(folder, err))
        return false;
    scoped_fd arriving = fs_open_at(AT_FDCWD, mark, O_WRONLY | O_CREAT, err);
    if (arriving < 0)
        return false;
    if (url.n == 0 &&
        (!place_source(request, source, err) || !measure_source(source, &offset, &length, err)))
        return false;
    struct job job = {
        .id = id,
        .kind = STR("import"),
        .dataset = request->dataset,
        .label = request->options->label,
        .source = url.n ? fetch_shown_url(a, url) : request->source_name,
        .request_id = request->request_id,
        .options = job_options(a, request, url, offset, length),
        .bytes_total = length,
    };
    if (!job_enqueue(w, &job, err))
        return false;
    /* A mark that stays does no harm: nobody asks for it once the job is known. */
    (void)unlink(mark);
    return true;
}

/* Asked when the source is on the disk already, as the body of its request: refusing it gives
 * that back. */
static bool
check_disk(const struct import_request *request, struct err *err)
{
    uint64_t free_bytes = disk_free_bytes(request->data_dir);
    return free_bytes >= DISK_RESERVE ||
           err_set(err, ERR_DISK_FULL,
                   "with this file %llu MiB of disk are free, and imports leave %llu",
                   (unsigned long long)(free_bytes / MIB),
                   (unsigned long long)(DISK_RESERVE / MIB));
}

bool
import_submit(struct arena *a, struct writer *w, const struct import_request *request,
              struct str *job_id, struct err *err)
{
    struct str url;
    if (!check_request(a, request, &url, err) || !check_disk(request, err))
        return false;
    char id[JOB_ID_DIGITS + 1];
    job_make_id(id);
    const char *folder = arena_printf(a, "%s/spool/%s", request->data_dir, id).p;
    *job_id = arena_str(a, str_from(id));
    if (spool_and_enqueue(a, w, request, url, folder, *job_id, err))
        return true;
    /* A job that may be in the queue after all finds its source gone and fails by name. */
    struct err ignored;
    (void)!fs_remove_tree(AT_FDCWD, folder, &ignored);
    return false;
}

bool
import_job_parse(struct arena *a, struct str options_json, struct import_job *out,
                 struct err *err)
{
    const struct json_value *root;
    struct import_job job = {0};
    int64_t offset, length;
    if (!json_read(a, options_json, &root, err))
        return false;
    const struct json_value *options = json_get(root, "import");
    if (!options || !json_as_i64(json_get(root, "offset"), &offset) || offset < 0 ||
        !json_as_i64(json_get(root, "length"), &length) || length < 0)
        return err_set(err, ERR_INTERNAL, "the job's options are damaged");
    if (!import_options_parse_json(a, options->text, &job.options, err))
        return false;
    job.source_offset = (uint64_t)offset;
    job.source_length = (uint64_t)length;
    *out = job;
    return true;
}
