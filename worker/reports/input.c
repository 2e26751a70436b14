/* A file goes through import/read.h, a version through its engine; both end in the same
 * callback.
 */
#include "reports/input.h"

#include "base/digest.h"
#include "import/read.h"
#include "jobs/job.h"
#include "json/read.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct input {
    const char *name, *columns; /* separated by blanks */
};
static const struct input INPUT_TABLE[] = {
#define X(kind, name, columns) {name, columns},
    INPUTS(X)
#undef X
};

const char *
input_name(enum input_kind kind)
{
    return INPUT_TABLE[kind].name;
}

size_t
input_columns(enum input_kind kind, struct str names[INPUT_COLUMNS_MAX])
{
    size_t count = 0;
    for (struct str rest = str_from(INPUT_TABLE[kind].columns); rest.p;)
        names[count++] = str_cut(&rest, ' ');
    return count;
}

struct input_source
input_of_file(struct arena *a, enum input_kind kind, const char *dir)
{
    struct str path = arena_printf(a, "%s/%s.csv", dir, input_name(kind));
    return (struct input_source){.is_there = access(path.p, F_OK) == 0, .path = path};
}

/* The columns of a version are those of the settings at the time of its import. */
static bool
find_problem(struct arena *a, enum input_kind kind, const struct dataset_version *version,
             struct str *problem, struct err *err)
{
    struct schema schema;
    struct str names[INPUT_COLUMNS_MAX];
    size_t count = input_columns(kind, names);
    *problem = (struct str){0};
    if (!schema_parse_json(a, version->schema_json, &schema, err))
        return false;
    for (size_t i = 0; i < count && problem->n == 0; i++) {
        const struct schema_column *column = schema_find(&schema, names[i], NULL);
        if (!column || column->type != COLUMN_TEXT)
            *problem =
                arena_printf(a,
                             "version %lld of dataset %s has no column %" STR_FMT
                             " of type text; import it again",
                             (long long)version->number, input_name(kind), STR_ARG(names[i]));
    }
    return true;
}

/* How many rows the import rejected: whoever imported was told, but the reports miss them too.
 * 0 when the job is no longer stored. */
static uint64_t
count_rejected(struct arena *a, struct db *db, struct str job_id)
{
    struct job job;
    struct err ignored;
    const struct json_value *receipt;
    int64_t rejected = 0;
    if (job_get(a, db, job_id, &job, &ignored) && job.result.n &&
        json_read(a, job.result, &receipt, &ignored))
        (void)!json_as_i64(json_get(receipt, "rejected"), &rejected);
    return rejected > 0 ? (uint64_t)rejected : 0;
}

/* A report is kept: it is made of no row that is not what was written.  Rows that are gone are
 * those of a version which was dropped meanwhile, if it was. */
static bool
check_rows(struct arena *a, enum input_kind kind, const struct input_source *source,
           struct err *err)
{
    struct err why = {0}, dropped = {0};
    struct dataset_version again;
    const struct input_versions *from = source->versions;
    if (from->files->check_rows(from->data_dir, &source->version, &why) ||
        (input_is_lost(source) &&
         !dataset_version_get(a, from->db, str_from(input_name(kind)), source->version.number,
                              &again, &dropped) &&
         dropped.kind == ERR_GONE))
        return true;
    return err_set_name(err, why.kind, err_code(&why), str_from(why.name), "%s: %s",
                        input_name(kind), why.detail);
}

bool
input_of_dataset(struct arena *a, enum input_kind kind, const struct input_versions *versions,
                 struct input_source *out, struct err *err)
{
    struct err missing = {0};
    *out = (struct input_source){.versions = versions};
    if (!dataset_version_get(a, versions->db, str_from(input_name(kind)), 0, &out->version,
                             &missing)) {
        /* A dataset that was never imported is no failure here: the reports that need it say
         * so. */
        if (missing.kind != ERR_NOT_FOUND)
            *err = missing;
        return missing.kind == ERR_NOT_FOUND;
    }
    out->is_there = true;
    if (!check_rows(a, kind, out, err))
        return false;
    out->sha256 = out->version.source_sha256;
    out->row_count = (uint64_t)out->version.row_count;
    out->rejected_rows = count_rejected(a, versions->db, out->version.job_id);
    return find_problem(a, kind, &out->version, &out->problem, err);
}

bool
input_is_lost(const struct input_source *source)
{
    const struct input_versions *from = source->versions;
    return source->is_there && from && !from->files->has_rows(from->data_dir, &source->version);
}

/* ---- what the settings declare ---- */

struct reading {
    struct input_source *source;
    struct schema schema;
    size_t count;                        /* of the input's columns */
    size_t column_of[INPUT_COLUMNS_MAX]; /* in the schema */
    input_row_fn *on_row;
    input_bad_fn *on_bad;
    void *context;
    uint64_t row_count;
};

static bool
refuse_declaration(const char *name, struct err *err, const char *why)
{
    return err_set_name(err, ERR_INVALID, "undeclared_input", str_from(name),
                        "%s: %s; the settings' datasets have to declare it as the shipped ones "
                        "do",
                        name, why);
}

/* All columns are read as text without a key: only the reports judge the cells, and a typed or
 * keyed column would have rows rejected before that. */
static bool
find_columns(enum input_kind kind, struct reading *reading, struct err *err)
{
    const char *name = input_name(kind);
    struct str names[INPUT_COLUMNS_MAX];
    char why[128];
    reading->count = input_columns(kind, names);
    for (size_t i = 0; i < reading->count; i++) {
        const struct schema_column *column =
            schema_find(&reading->schema, names[i], &reading->column_of[i]);
        if (column && column->type == COLUMN_TEXT)
            continue;
        snprintf(why, sizeof(why), "column %" STR_FMT " is %s", STR_ARG(names[i]),
                 column ? "not of type text" : "missing");
        return refuse_declaration(name, err, why);
    }
    if (reading->schema.key_index != SCHEMA_ROW_NUMBER)
        return refuse_declaration(name, err, "it has a key, and rows may repeat");
    return true;
}

static bool
read_declaration(struct arena *a, const struct config *config, enum input_kind kind,
                 struct reading *reading, struct err *err)
{
    const char *name = input_name(kind);
    const struct config_dataset *declared = config_find_dataset(config, str_from(name));
    if (!declared)
        return refuse_declaration(name, err, "there is no such dataset");
    if (!schema_from_config(a, declared, &reading->schema, err) ||
        !find_columns(kind, reading, err))
        return false;
    struct input_source *source = reading->source;
    source->zone_offset_ms = reading->schema.columns[0].offset_ms;
    source->time_zone = declared->time_zone.n ? declared->time_zone : STR("UTC");
    return true;
}

bool
input_check_declared(struct arena *a, const struct config *config, enum input_kind kind,
                     struct err *err)
{
    struct input_source ignored = {0};
    struct reading reading = {.source = &ignored};
    return read_declaration(a, config, kind, &reading, err);
}

/* ---- a file ---- */

static bool
take_file_row(void *context, const struct import_read_row *row, struct err *err)
{
    struct reading *reading = context;
    if (row->fault) {
        reading->on_bad(reading->context, row->line, row->fault);
        return true;
    }
    struct input_row out = {.line = row->line};
    for (size_t i = 0; i < reading->count; i++)
        out.cells[i] = row->cells[reading->column_of[i]];
    reading->row_count++;
    return reading->on_row(reading->context, &out, err);
}

static bool
read_file(struct arena *a, const struct config *config, enum input_kind kind,
          struct reading *reading, struct err *err)
{
    struct input_source *source = reading->source;
    uint64_t bytes;
    /* A regular file only: it is read twice, which a pipe does not allow. */
    scoped_fd fd = fs_open_named(source->path.p, err);
    if (fd < 0)
        return err_set_code(err, ERR_INVALID, "no_source", "%s", err->detail);
    scoped_digest digest = {0}; /* declared after the file, so ended before that is closed */
    bool is_first = source->sha256.n == 0;
    if (!fs_size(fd, &bytes, err) || (is_first && !digest_start(&digest, fd, 0, bytes, err)) ||
        !import_read(config, str_from(input_name(kind)), fd, take_file_row, reading, err))
        return false;
    if (is_first && !digest_finish(&digest, err))
        return false;
    if (is_first)
        source->sha256 = arena_str(a, str_from(digest.hex));
    return true;
}

/* ---- a version ---- */

static bool
take_version_row(void *context, uint64_t line, const struct str *cells, struct err *err)
{
    struct reading *reading = context;
    struct input_row row = {.line = line};
    memcpy(row.cells, cells, reading->count * sizeof(*cells));
    reading->row_count++;
    return reading->on_row(reading->context, &row, err);
}

bool
input_read(struct arena *a, const struct config *config, enum input_kind kind,
           struct input_source *source, input_row_fn *on_row, input_bad_fn *on_bad,
           void *context, struct err *err)
{
    struct reading reading = {
        .source = source, .on_row = on_row, .on_bad = on_bad, .context = context};
    if (!source->is_there)
        return err_set_name(err, ERR_NOT_FOUND, "missing_input", str_from(input_name(kind)),
                            source->versions ? "nothing was uploaded to dataset %s%s%" STR_FMT
                                             : "there is no %s%s%" STR_FMT,
                            input_name(kind), source->path.n ? ": " : "",
                            STR_ARG(source->path));
    if (source->problem.n)
        return err_set_name(err, ERR_CONFLICT, "undeclared_input", str_from(input_name(kind)),
                            "%" STR_FMT, STR_ARG(source->problem));
    if (!read_declaration(a, config, kind, &reading, err))
        return false;
    const struct input_versions *from = source->versions;
    struct str names[INPUT_COLUMNS_MAX];
    size_t count = input_columns(kind, names);
    bool ok = from ? from->engine->walk(from->state, &source->version, names, count,
                                        take_version_row, &reading, err)
                   : read_file(a, config, kind, &reading, err);
    if (!ok)
        return false;
    source->row_count = reading.row_count;
    return true;
}
