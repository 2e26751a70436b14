/* The versions of a dataset that are kept, and going back to one. */
#include "api/handlers.h"
#include "api/listing.h"
#include "api/object.h"
#include "json/read.h"
#include "json/write.h"

/* The names of its files that are; null: none. */
static void
add_damaged(struct json *j, unsigned files)
{
    scoped_arena a = {0};
    struct str words = integrity_files_words(&a, files);
    if (words.n == 0) {
        json_null(j);
        return;
    }
    json_begin_array(j);
    while (words.n)
        json_str(j, str_cut(&words, ' '));
    json_end_array(j);
}

static void
add_version(struct json *j, const struct app *app, const struct dataset_version *version)
{
    json_begin_object(j);
    json_member_i64(j, "version", version->number);
    json_member_bool(j, "current", version->is_current);
    json_member_bool(j, "available", app->files->has_rows(app->data_dir, version));
    json_member_i64(j, "rows", version->row_count);
    json_member_timestamp(j, "created_at", version->created_at);
    json_member_str(j, "label", version->label);
    json_member_str(j, "source", version->source);
    json_member_i64(j, "source_bytes", version->source_bytes);
    json_member_str(j, "source_sha256", version->source_sha256);
    json_member_str(j, "job_id", version->job_id);
    json_member_timestamp(j, "checked_at", version->checked_at);
    json_key(j, "damaged");
    add_damaged(j, version->damaged);
    json_end_object(j);
}

static const char *const COLUMNS[] = {"version",       "current", "available",  "rows",
                                      "created_at",    "label",   "source",     "source_bytes",
                                      "source_sha256", "job_id",  "checked_at", "damaged"};
static const struct listing_table VERSIONS = {.name = "versions", LISTING_COLUMNS(COLUMNS)};

bool
list_versions(struct app *app, struct request *request, struct response *response,
              struct err *err)
{
    struct dataset_version *versions;
    size_t count;
    scoped_listing list = {0};
    if (!listing_begin(&list, &VERSIONS, request, response, err) ||
        !dataset_version_list(request->arena, app->db, request_path_value(request, "dataset"),
                              &versions, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        add_version(listing_item(&list), app, &versions[i]);
        if (!listing_end_item(&list, err))
            return false;
    }
    listing_end(&list, (struct str){NULL, 0}, (int64_t)count);
    return true;
}

/* {"version": 3} in the body, or ?version=3, or neither for the one before the current one. */
static bool
read_wanted(struct request *request, int64_t *number, struct err *err)
{
    int64_t asked = request_integer(request, "version");
    *number = asked;
    if (request->body.n == 0)
        return true;
    const struct json_value *body;
    if (!json_read(request->arena, request->body, &body, err))
        return false;
    const struct json_value *version = json_get(body, "version");
    if (body->kind != JSON_OBJECT || body->child_count != (version ? 1 : 0))
        return err_set(err, ERR_INVALID, "the body is {\"version\": number}, or empty");
    if (version && (!json_as_i64(version, number) || *number < 1))
        return err_set_name(err, ERR_INVALID, NULL, STR("version"),
                            "version is an integer from 1, got %" STR_FMT,
                            STR_ARG(version->text));
    if (request_has(request, "version") && version && *number != asked)
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("version"),
                            "the query says version %lld and the body %lld; say one of them",
                            (long long)asked, (long long)*number);
    return true;
}

bool
rollback_dataset(struct app *app, struct request *request, struct response *response,
                 struct err *err)
{
    struct str name = request_path_value(request, "dataset");
    int64_t number, current;
    if (!read_wanted(request, &number, err) ||
        !dataset_rollback(app->writer, name, number, &current, err))
        return false;
    struct json j = object_begin(response);
    json_member_str(&j, "dataset", name);
    json_member_i64(&j, "version", current);
    object_end(&j);
    return true;
}
