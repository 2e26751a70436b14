/* Datasets and what is known of their columns. */
#include "api/access.h"
#include "api/handlers.h"
#include "api/listing.h"
#include "api/object.h"
#include "json/read.h"
#include "json/write.h"

#include <inttypes.h>

/* What every form of a dataset begins with. */
static void
add_head(struct json *j, const struct dataset *dataset, int64_t row_count)
{
    json_member_str(j, "name", dataset->name);
    json_member_bool(j, "public", dataset->is_public);
    json_member_i64(j, "version", dataset->version);
    json_member_i64(j, "rows", row_count);
    json_member_timestamp(j, "created_at", dataset->created_at);
    json_member_timestamp(j, "updated_at", dataset->updated_at);
}

static const char *const COLUMNS[] = {"name", "public",     "version",
                                      "rows", "created_at", "updated_at"};
static const struct listing_table DATASETS = {.name = "datasets", LISTING_COLUMNS(COLUMNS)};

bool
list_datasets(struct app *app, struct request *request, struct response *response,
              struct err *err)
{
    struct dataset *datasets;
    size_t count;
    int64_t shown = 0;
    scoped_listing list = {0};
    if (!listing_begin(&list, &DATASETS, request, response, err) ||
        !dataset_list(request->arena, app->db, &datasets, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!datasets[i].is_public && request->scope < SCOPE_READ)
            continue;
        shown++;
        struct dataset_version version;
        if (!dataset_version_get(request->arena, app->db, datasets[i].name, datasets[i].version,
                                 &version, err))
            return false;
        struct json *j = listing_item(&list);
        json_begin_object(j);
        add_head(j, &datasets[i], version.row_count);
        json_end_object(j);
        if (!listing_end_item(&list, err))
            return false;
    }
    listing_end(&list, (struct str){NULL, 0}, shown);
    return true;
}

/* "key": "app_id", or null where there is none. */
static void
add_role(struct json *j, const char *role, const struct schema *schema, size_t index)
{
    if (index < schema->column_count)
        json_member_str(j, role, schema->columns[index].name);
    else
        json_member_null(j, role);
}

static void
add_summary(struct json *j, const struct json_value *summary)
{
    static const char *const FIELDS[] = {"nulls", "distinct", "min", "max"};
    for (size_t i = 0; i < COUNT_OF(FIELDS); i++) {
        const struct json_value *v = json_get(summary, FIELDS[i]);
        json_key(j, FIELDS[i]);
        if (v) {
            json_add_value(j->out, v);
            j->needs_comma = true;
        } else {
            json_null(j);
        }
    }
}

static void
add_columns(struct json *j, const struct schema *schema, const struct json_value *summaries)
{
    json_member_begin_array(j, "columns");
    for (size_t i = 0; i < schema->column_count; i++) {
        const struct schema_column *column = &schema->columns[i];
        json_begin_object(j);
        json_member_str(j, "name", column->name);
        json_member_str(j, "header", column->header);
        json_member_str(j, "type", str_from(column_type_name(column->type)));
        json_member_bool(j, "measure", column->is_measure);
        add_summary(j, i < summaries->child_count ? &summaries->children[i] : NULL);
        json_end_object(j);
    }
    json_end_array(j);
}

/* What the version knows of its columns. */
static bool
add_version(struct arena *a, struct json *j, const struct dataset_version *version,
            struct err *err)
{
    struct schema schema;
    const struct json_value *summaries;
    if (!schema_parse_json(a, version->schema_json, &schema, err) ||
        !json_read(a, version->summaries_json, &summaries, err))
        return false;
    add_role(j, "key", &schema, schema.key_index);
    add_role(j, "title", &schema, schema.title_index);
    add_role(j, "default_date", &schema, schema.date_index);
    json_member_bool(j, "declared", schema.is_declared);
    add_columns(j, &schema, summaries);
    return true;
}

bool
get_dataset(struct app *app, struct request *request, struct response *response,
            struct err *err)
{
    struct arena *a = request->arena;
    const struct dataset *dataset;
    struct dataset_version version;
    if (!access_dataset(app, request, &dataset, err) ||
        !dataset_version_get(a, app->db, dataset->name, dataset->version, &version, err))
        return false;
    struct json j = object_begin(response);
    add_head(&j, dataset, version.row_count);
    if (!add_version(a, &j, &version, err))
        return false;
    object_end(&j);
    response_is_known(response, arena_printf(a, "%" STR_FMT "-%" PRId64,
                                             STR_ARG(version.job_id), dataset->updated_at));
    return true;
}
