/* Building rows.db.  The file is new and worthless until it is finished, so nothing protects
 * it on the way: no journal, no fsync but the last, no locks.  One transaction, because SQLite
 * would otherwise write the tree's upper pages again for every row.
 *
 * Columns are ordered by how many bytes they hold: numbers first, then text from short to long.
 * A row longer than a page keeps its first columns in the page and the rest in a chain of
 * overflow pages, which reading a price then need not follow. */
#include "store/rows.h"

#include "base/buf.h"
#include "base/date.h"
#include "base/fs.h"
#include "store/sqlite.h"

#include <fcntl.h>
#include <stdlib.h>

/* A date or timestamp as text: 2026-01-31T08:00:00.250Z. */
#define DATE_BYTES_MAX 32

struct rows_builder {
    sqlite3 *handle;
    sqlite3_stmt *insert, *insert_line;
    uint64_t row_count, last_line;
    struct arena arena; /* of this struct, too */
    const char *path;
    size_t column_count;
    const struct rows_column *columns;
    size_t *order;    /* for each position in the table, the column */
    struct buf dates; /* dates, as text, of the row being bound */
};

static const char *
type_of(enum column_type type)
{
    switch (type) {
    case COLUMN_INTEGER:
    case COLUMN_BOOLEAN:
        return "INTEGER";
    case COLUMN_REAL:
        return "REAL";
    case COLUMN_DATE:
    case COLUMN_DATETIME:
    case COLUMN_TEXT:
    case COLUMN_LIST:
        break;
    }
    return "TEXT";
}

/* Numbers before dates before text, text by size; equal ones in the order of the schema. */
static int
compare_size(const void *a, const void *b, void *columns)
{
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    const struct rows_column *x = (const struct rows_column *)columns + i;
    const struct rows_column *y = (const struct rows_column *)columns + j;
    uint64_t x_bytes = column_type_is_textual(x->type) ? x->text_bytes + 1 : 0;
    uint64_t y_bytes = column_type_is_textual(y->type) ? y->text_bytes + 1 : 0;
    if (x_bytes != y_bytes)
        return x_bytes < y_bytes ? -1 : 1;
    return i < j ? -1 : i > j;
}

static void
copy_columns(struct rows_builder *b, const struct rows_column *columns)
{
    struct rows_column *copy = arena_array(&b->arena, b->column_count, struct rows_column);
    b->order = arena_array(&b->arena, b->column_count, size_t);
    for (size_t i = 0; i < b->column_count; i++) {
        copy[i] = columns[i];
        copy[i].name = arena_str(&b->arena, columns[i].name);
        b->order[i] = i;
    }
    b->columns = copy;
    qsort_r(b->order, b->column_count, sizeof(*b->order), compare_size, copy);
}

/* 16 KiB pages: fewer overflow chains than 4 KiB for descriptions of a few KB.  Appending to
 * the end of the tree never reads, so a cache of 2 MiB is enough. */
static bool
set_up(struct rows_builder *b, struct err *err)
{
    scoped_buf create, insert;
    buf_init(&create, 4 * MIB);
    buf_init(&insert, 4 * MIB);
    buf_add_lit(&create, "CREATE TABLE rows (");
    buf_add_lit(&insert, "INSERT INTO rows VALUES (");
    for (size_t i = 0; i < b->column_count; i++) {
        const struct rows_column *column = &b->columns[b->order[i]];
        buf_printf(&create, "%s\n  \"%" STR_FMT "\" %s", i ? "," : "", STR_ARG(column->name),
                   type_of(column->type));
        buf_add(&insert, i ? STR(",?") : STR("?"));
    }
    buf_add_lit(&create,
                "\n);\n"
                "CREATE TABLE source_line (first_row INTEGER PRIMARY KEY, line INTEGER "
                "NOT NULL)");
    buf_add_char(&create, '\0');
    buf_add_lit(&insert, ")");
    if (!sqlite_exec(b->handle,
                     "PRAGMA page_size = 16384;"
                     "PRAGMA journal_mode = OFF;"
                     "PRAGMA synchronous = OFF;"
                     "PRAGMA locking_mode = EXCLUSIVE;"
                     "PRAGMA cache_size = -2048;"
                     "PRAGMA temp_store = MEMORY;"
                     "BEGIN IMMEDIATE;",
                     err) ||
        !sqlite_exec(b->handle, create.p, err))
        return false;
    int rc = sqlite3_prepare_v3(b->handle, insert.p, (int)insert.n, SQLITE_PREPARE_PERSISTENT,
                                &b->insert, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v3(b->handle, "INSERT INTO source_line VALUES (?, ?)", -1,
                                SQLITE_PREPARE_PERSISTENT, &b->insert_line, NULL);
    return rc == SQLITE_OK || sqlite_fail(b->handle, rc, "preparing rows.db", err);
}

struct rows_builder *
rows_build_begin(const char *path, const struct rows_column *columns, size_t column_count,
                 struct err *err)
{
    assert(column_count > 0);
    /* O_EXCL, because SQLite would open an existing file. */
    scoped_fd fd = fs_open_at(AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL, err);
    if (fd < 0)
        return NULL;
    sqlite3 *handle = sqlite_open(path, SQLITE_OPEN_READWRITE, err);
    if (!handle)
        return NULL;
    struct arena arena = {0};
    struct rows_builder *b = arena_new(&arena, struct rows_builder);
    b->path = arena_cstr(&arena, str_from(path));
    b->arena = arena;
    b->handle = handle;
    b->column_count = column_count;
    b->last_line = 1; /* the header's, so that without lines row 1 is on line 2 */
    buf_init(&b->dates, column_count * DATE_BYTES_MAX);
    copy_columns(b, columns);
    if (!set_up(b, err))
        rows_build_cancel(&b);
    return b;
}

/* Binds without copying: the value outlives the step. */
static int
bind_text(struct rows_builder *b, int index, struct str text)
{
    return sqlite3_bind_text64(b->insert, index, text.p ? text.p : "", text.n, SQLITE_STATIC,
                               SQLITE_UTF8);
}

static int
bind_value(struct rows_builder *b, int index, enum column_type type, const struct value *v)
{
    size_t from = b->dates.n;
    if (v->is_null)
        return sqlite3_bind_null(b->insert, index);
    switch (type) {
    case COLUMN_INTEGER:
    case COLUMN_BOOLEAN:
        return sqlite3_bind_int64(b->insert, index, v->i);
    case COLUMN_REAL:
        return sqlite3_bind_double(b->insert, index, v->d);
    case COLUMN_DATE:
        date_add_day(&b->dates, v->i);
        return bind_text(b, index, str_skip(buf_str(&b->dates), from));
    case COLUMN_DATETIME:
        date_add_timestamp(&b->dates, v->i);
        return bind_text(b, index, str_skip(buf_str(&b->dates), from));
    case COLUMN_TEXT:
    case COLUMN_LIST:
        break;
    }
    return bind_text(b, index, v->text);
}

static bool
note_line(struct rows_builder *b, uint64_t line, struct err *err)
{
    uint64_t expected = b->last_line + 1;
    b->last_line = line ? line : expected;
    b->row_count++;
    if (b->last_line == expected && b->row_count > 1)
        return true;
    sqlite3_bind_int64(b->insert_line, 1, (int64_t)b->row_count);
    sqlite3_bind_int64(b->insert_line, 2, (int64_t)b->last_line);
    int rc = sqlite3_step(b->insert_line);
    sqlite3_reset(b->insert_line);
    return rc == SQLITE_DONE || sqlite_fail(b->handle, rc, "writing rows.db", err);
}

bool
rows_build_add(struct rows_builder *b, const struct value *row, uint64_t line, struct err *err)
{
    if (!note_line(b, line, err))
        return false;
    /* Reserved for all dates at once: growing between two binds would move the first. */
    buf_clear(&b->dates);
    buf_reserve(&b->dates, b->column_count * DATE_BYTES_MAX);
    int rc = SQLITE_OK;
    for (size_t i = 0; i < b->column_count && rc == SQLITE_OK; i++) {
        size_t column = b->order[i];
        rc = bind_value(b, (int)i + 1, b->columns[column].type, &row[column]);
    }
    if (rc == SQLITE_OK)
        rc = sqlite3_step(b->insert);
    bool ok = rc == SQLITE_DONE || sqlite_fail(b->handle, rc, "writing rows.db", err);
    sqlite3_reset(b->insert);
    return ok;
}

static void
close_builder(struct rows_builder **b)
{
    sqlite3_finalize((*b)->insert);
    sqlite3_finalize((*b)->insert_line);
    sqlite3_close_v2((*b)->handle);
    buf_free(&(*b)->dates);
    struct arena arena = (*b)->arena;
    *b = NULL;
    arena_free(&arena);
}

bool
rows_build_finish(struct rows_builder **b, struct err *err)
{
    if (!sqlite_exec((*b)->handle, "COMMIT", err)) {
        rows_build_cancel(b);
        return false;
    }
    scoped_arena a = {0};
    const char *path = arena_cstr(&a, str_from((*b)->path));
    close_builder(b);
    scoped_fd fd = fs_open_at(AT_FDCWD, path, O_RDONLY, err);
    return fd >= 0 && fs_sync(fd, err);
}

void
rows_build_cancel(struct rows_builder **b)
{
    if (*b)
        close_builder(b);
}
