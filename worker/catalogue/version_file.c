#include "catalogue/version_file.h"

#include "base/fs.h"
#include "base/sha256.h"
#include "catalogue/data_state.h"
#include "catalogue/version_folder.h"
#include "json/read.h"
#include "json/write.h"

#include <fcntl.h>
#include <stdio.h>

#define FORMAT 1
/* Schema, summaries and receipt have at most 4 MiB each. */
#define FILE_BYTES_MAX (16 * MIB)

/* How the file ends, around the digest of all before it. */
#define DIGEST_BEGIN ",\"sha256\":\""
#define DIGEST_END "\"}"
#define TAIL_BYTES (sizeof(DIGEST_BEGIN) - 1 + SHA256_HEX_BYTES + sizeof(DIGEST_END) - 1)

/* ---- reading ---- */

static bool
refuse_version_file(struct err *err, struct str folder, const char *what)
{
    return err_set(err, ERR_INVALID, VERSION_FILE_NAME " of %" STR_FMT ": %s", STR_ARG(folder),
                   what);
}

static bool
read_count(const struct json_value *root, const char *key, int64_t *out)
{
    return json_as_i64(json_get(root, key), out) && *out >= 0 && *out <= DATA_STATE_COUNT_MAX;
}

/* The text of a member that is an object or an array. */
static bool
read_source(const struct json_value *root, const char *key, enum json_kind kind,
            struct str *out)
{
    const struct json_value *v = json_get(root, key);
    if (!v || v->kind != kind)
        return false;
    *out = v->source;
    return true;
}

static bool
parse(const struct json_value *root, struct str folder, struct version_file *out,
      struct err *err)
{
    struct version_file f = {0};
    struct dataset_version *v = &f.version;
    const struct json_value *is_public = json_get(root, "public");
    int64_t format, rows_checksum;
    if (!json_as_i64(json_get(root, "format"), &format) || format != FORMAT)
        return refuse_version_file(err, folder,
                                   "its format is not the one that this program knows");
    if (!json_as_str(json_get(root, "directory"), &f.directory_id) ||
        f.directory_id.n != DB_DIRECTORY_ID_DIGITS ||
        !read_count(root, "catalogue_seq", &f.catalogue_seq) ||
        !json_as_str(json_get(root, "dataset"), &f.dataset) || !is_public ||
        is_public->kind != JSON_BOOL || !read_count(root, "version", &v->number) ||
        !json_as_str(json_get(root, "job"), &v->job_id) ||
        !read_count(root, "rows", &v->row_count) ||
        !json_as_i64(json_get(root, "rows_checksum"), &rows_checksum) ||
        !read_count(root, "created_at", &v->created_at) ||
        !json_as_str(json_get(root, "label"), &v->label) ||
        !json_as_str(json_get(root, "source"), &v->source) ||
        !read_count(root, "source_bytes", &v->source_bytes) ||
        !json_as_str(json_get(root, "source_sha256"), &v->source_sha256) ||
        !read_source(root, "schema", JSON_OBJECT, &v->schema_json) ||
        !read_source(root, "summaries", JSON_ARRAY, &v->summaries_json) ||
        !read_source(root, "receipt", JSON_OBJECT, &f.receipt_json))
        return refuse_version_file(err, folder,
                                   "a member is missing, of the wrong type or too large");
    if (!str_eq(v->job_id, folder))
        return refuse_version_file(err, folder, "it is another folder's");
    if (!schema_dataset_name_is_valid(f.dataset) || v->number == 0)
        return refuse_version_file(err, folder, "its dataset or version cannot be");
    f.is_public = is_public->boolean;
    v->rows_checksum = (uint64_t)rows_checksum;
    *out = f;
    return true;
}

static bool
is_whole(struct str text)
{
    if (text.n < TAIL_BYTES)
        return false;
    char hex[SHA256_HEX_BYTES + 1], tail[TAIL_BYTES + 1];
    sha256_hex(str_slice(text, 0, text.n - TAIL_BYTES), hex);
    snprintf(tail, sizeof(tail), DIGEST_BEGIN "%s" DIGEST_END, hex);
    return str_eq(str_skip(text, text.n - TAIL_BYTES), str_from(tail));
}

int
version_file_read(struct arena *a, int dir, struct str folder, struct version_file *out,
                  struct err *err)
{
    scoped_buf text;
    const struct json_value *root;
    struct err why;
    buf_init(&text, FILE_BYTES_MAX);
    const char *path = arena_printf(a, "%" STR_FMT "/" VERSION_FILE_NAME, STR_ARG(folder)).p;
    if (!fs_read_file(&text, dir, path, err))
        return err->kind == ERR_NOT_FOUND ? 0 : -1;
    if (!is_whole(buf_str(&text))) {
        refuse_version_file(err, folder, "it was cut or changed: its SHA-256 does not fit");
        return -1;
    }
    if (!json_read(a, arena_str(a, buf_str(&text)), &root, &why)) {
        refuse_version_file(err, folder, why.detail);
        return -1;
    }
    return parse(root, folder, out, err) ? 1 : -1;
}

/* ---- writing ---- */

static void
print(struct json *j, struct stmt *s, const struct db_identity *identity, struct str job_id)
{
    json_begin_object(j);
    json_member_i64(j, "format", FORMAT);
    json_member_str(j, "directory", str_from(identity->directory_id));
    json_member_i64(j, "catalogue_seq", identity->catalogue_seq);
    json_member_str(j, "dataset", stmt_str(s, 0));
    json_member_bool(j, "public", stmt_i64(s, 1) != 0);
    json_member_i64(j, "version", stmt_i64(s, 2));
    json_member_str(j, "job", job_id);
    json_member_i64(j, "rows", stmt_i64(s, 5));
    json_member_i64(j, "rows_checksum", stmt_i64(s, 12));
    json_member_i64(j, "created_at", stmt_i64(s, 10));
    json_member_str(j, "label", stmt_str(s, 9));
    json_member_str(j, "source", stmt_str(s, 7));
    json_member_i64(j, "source_bytes", stmt_i64(s, 8));
    json_member_str(j, "source_sha256", stmt_str(s, 6));
    json_member_raw(j, "schema", stmt_str(s, 3));
    json_member_raw(j, "summaries", stmt_str(s, 4));
    json_member_raw(j, "receipt", stmt_str(s, 11));
    json_end_object(j);
}

bool
version_file_write(struct db *db, int64_t dataset_id, struct str job_id, struct err *err)
{
    scoped_arena a = {0};
    scoped_buf text;
    struct db_identity identity;
    scoped_stmt s = db_stmt(db, "version_file");
    buf_init(&text, FILE_BYTES_MAX);
    stmt_bind_i64(s, 1, dataset_id);
    stmt_bind_str(s, 2, job_id);
    if (!db_read_identity(db, &identity, err))
        return false;
    int got = stmt_step(s, err);
    if (got <= 0)
        return got < 0 ? false
                       : err_set(err, ERR_INTERNAL, "job %" STR_FMT " made no version",
                                 STR_ARG(job_id));
    struct json j = json_write(&text);
    print(&j, s, &identity, job_id);
    /* In the place of the brace that ends the object. */
    char hex[SHA256_HEX_BYTES + 1];
    text.n--;
    sha256_hex(buf_str(&text), hex);
    buf_printf(&text, DIGEST_BEGIN "%s" DIGEST_END, hex);
    if (text.is_full)
        return err_set(err, ERR_INTERNAL, VERSION_FILE_NAME " would have over %zu bytes",
                       FILE_BYTES_MAX);
    const char *path =
        version_folder_path(&a, data_state_dir(&a, db), dataset_id, job_id, VERSION_FILE_NAME);
    return fs_replace_file(AT_FDCWD, path, buf_str(&text), 0600, err);
}
