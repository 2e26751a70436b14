#include "catalogue/data_state.h"

#include "base/fs.h"
#include "json/read.h"
#include "json/write.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>

#define STATE_BYTES_MAX (4 * KIB)

static const char *
path_in(struct arena *a, const char *data_dir)
{
    return arena_printf(a, "%s/" DATA_STATE_NAME, data_dir).p;
}

int
data_state_read(const char *data_dir, struct db_identity *out, struct err *err)
{
    scoped_arena a = {0};
    scoped_buf text;
    const char *path = path_in(&a, data_dir);
    const struct json_value *root;
    struct db_identity state = {0};
    struct str id;
    buf_init(&text, STATE_BYTES_MAX);
    if (!fs_read_file(&text, AT_FDCWD, path, err))
        return err->kind == ERR_NOT_FOUND ? 0 : -1;
    if (!json_read(&a, buf_str(&text), &root, err))
        return -1;
    if (!json_as_str(json_get(root, "id"), &id) || id.n != DB_DIRECTORY_ID_DIGITS ||
        !json_as_i64(json_get(root, "catalogue_seq"), &state.catalogue_seq) ||
        state.catalogue_seq < 0 || state.catalogue_seq > DATA_STATE_COUNT_MAX ||
        !json_as_i64(json_get(root, "schema"), &state.schema)) {
        err_set(err, ERR_INTERNAL, "%s lacks an id, a catalogue_seq or a schema that can be",
                path);
        return -1;
    }
    snprintf(state.directory_id, sizeof(state.directory_id), "%" STR_FMT, STR_ARG(id));
    *out = state;
    return 1;
}

bool
data_state_write(const char *data_dir, const struct db_identity *identity, struct err *err)
{
    scoped_arena a = {0};
    scoped_buf text;
    buf_init(&text, STATE_BYTES_MAX);
    struct json j = json_write(&text);
    json_begin_object(&j);
    json_member_str(&j, "id", str_from(identity->directory_id));
    json_member_i64(&j, "catalogue_seq", identity->catalogue_seq);
    json_member_i64(&j, "schema", identity->schema);
    json_end_object(&j);
    buf_add_char(&text, '\n');
    return fs_replace_file(AT_FDCWD, path_in(&a, data_dir), buf_str(&text), 0600, err);
}

const char *
data_state_dir(struct arena *a, struct db *db)
{
    return dirname((char *)arena_cstr(a, str_from(db_path(db))));
}

bool
data_state_follow(struct db *db, struct err *err)
{
    scoped_arena a = {0};
    struct db_identity identity;
    return db_read_identity(db, &identity, err) &&
           data_state_write(data_state_dir(&a, db), &identity, err);
}
