/* The dataset is looked up before every call, by one prepared statement: that is how
 * a worker sees a version published elsewhere, without a signal from anyone.  The maps are
 * kept, least recently used out first, until the edition that the catalogue has of their files
 * is another one.  A folder can vanish between the catalogue's answer and the open, when the
 * next version has just pushed it out: then the catalogue is read again. */
#include "embedded/version.h"

#include "embedded/files.h"
#include "embedded/rows.h"
#include "index/block.h"

#include "base/mem.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VERSIONS_OPEN_MAX 8
/* Each retry means that a publication fell between two system calls; three in a row is not
 * chance but a folder that is not there. */
#define OPEN_TRIES_MAX 3

struct slot {
    struct embedded_version version;
    struct arena arena; /* owns all of `version` but dataset.name */
    uint64_t used_at;   /* by the cache's count of calls; 0: empty */
};

struct engine_state {
    struct db *db;
    char *data_dir;
    struct slot slots[VERSIONS_OPEN_MAX];
    struct arena scratch; /* of one embedded_open */
    uint64_t calls;
    int64_t start;
    /* Which files were opened last, and which somebody was told to look at; its strings are not
     * for use. */
    struct dataset_version last, doubted;
};

struct engine_state *
embedded_start(struct db *db, const char *data_dir, int64_t start)
{
    struct engine_state *cache = mem_new(struct engine_state);
    size_t bytes = strlen(data_dir) + 1;
    cache->data_dir = memcpy(mem_alloc(bytes), data_dir, bytes);
    cache->db = db;
    cache->start = start;
    return cache;
}

static bool
key_ascends(const struct embedded_version *version)
{
    size_t key = version->common.schema.key_index;
    if (key == SCHEMA_ROW_NUMBER)
        return false;
    const struct column *c = &version->columns.columns[key];
    struct block_reader reader = block_reader_of(c, block_value_form(c));
    bool ascends = reader.form == BLOCK_INTS;
    int64_t before = 0;
    for (uint64_t r = 0; r < c->row_count && ascends; r++) {
        int64_t v = block_int(&reader, r);
        ascends = r == 0 || before < v;
        before = v;
    }
    return ascends;
}

void
embedded_version_prepare(struct arena *a, struct embedded_version *version)
{
    size_t column_count = version->common.schema.column_count;
    version->row_count = version->columns.row_count;
    version->key_ascends = key_ascends(version);
    version->keys = arena_new(a, struct key_index);
    version->stats = arena_new(a, struct stats_known);
    version->stats->answers = arena_array(a, column_count, struct stats_answer *);
    version->room = arena_new(a, struct embedded_room);
    version->room->cells = arena_array(a, column_count, struct value);
    version->room->wanted = arena_array(a, column_count, size_t);
}

void
embedded_version_close(struct embedded_version *version)
{
    if (version->keys)
        embedded_key_index_free(version->keys);
    if (version->stats)
        arena_free(&version->stats->arena);
    if (version->room)
        arena_free(&version->room->arena);
    rows_close(&version->rows);
    tfidf_close(&version->tfidf);
    trigrams_close(&version->trigrams);
    columns_close(&version->columns);
}

static void
slot_close(struct slot *slot)
{
    embedded_version_close(&slot->version);
    arena_free(&slot->arena);
    memset(slot, 0, sizeof(*slot));
}

void
embedded_stop(struct engine_state **cache)
{
    if (!*cache)
        return;
    for (size_t i = 0; i < VERSIONS_OPEN_MAX; i++)
        slot_close(&(*cache)->slots[i]);
    arena_free(&(*cache)->scratch);
    free((*cache)->data_dir);
    free(*cache);
    *cache = NULL;
}

static struct slot *
find_slot(struct engine_state *cache, int64_t dataset_id, int64_t number)
{
    for (size_t i = 0; i < VERSIONS_OPEN_MAX; i++) {
        struct slot *slot = &cache->slots[i];
        if (slot->used_at && slot->version.common.info.dataset_id == dataset_id &&
            slot->version.common.info.number == number)
            return slot;
    }
    return NULL;
}

static struct slot *
make_room(struct engine_state *cache)
{
    struct slot *oldest = &cache->slots[0];
    for (size_t i = 1; i < VERSIONS_OPEN_MAX; i++)
        if (cache->slots[i].used_at < oldest->used_at)
            oldest = &cache->slots[i];
    slot_close(oldest);
    return oldest;
}

static bool
damaged(struct err *err, const struct dataset_version *info, const char *what)
{
    return err_set_code(err, ERR_BUSY, "index_damaged",
                        "version %lld of dataset %lld cannot be read: %s; it has to be "
                        "indexed again",
                        (long long)info->number, (long long)info->dataset_id, what);
}

/* Only a person brings it back. */
#define LOST_RETRY_S 60

static bool
lost(struct err *err, const struct dataset_version *info)
{
    err_set_code(err, ERR_BUSY, "version_damaged",
                 "rows.db of version %lld is damaged; import the file again, choose another "
                 "version, or put rows.db back from a backup and run playmeter reindex",
                 (long long)info->number);
    err->retry_after_s = LOST_RETRY_S;
    return false;
}

/* What is known of the files, before any is opened. */
static bool
check_known(const struct engine_state *cache, const struct dataset_version *info,
            struct err *err)
{
    if (cache->start && info->checked_start != cache->start)
        return err_set_code(err, ERR_BUSY, "version_unchecked",
                            "the files of version %lld have not been checked since the service "
                            "started; that is under way",
                            (long long)info->number);
    if (info->damaged & INTEGRITY_ROWS)
        return lost(err, info);
    return !(info->damaged & INTEGRITY_COLUMNS) ||
           damaged(err, info, "its columns file is damaged");
}

static bool
check_shape(const struct embedded_version *version, struct err *err)
{
    const struct columns *columns = &version->columns;
    if (columns->column_count != version->common.schema.column_count)
        return damaged(err, &version->common.info, "its columns are not the schema's");
    for (size_t i = 0; i < columns->column_count; i++)
        if (columns->columns[i].type != version->common.schema.columns[i].type)
            return damaged(err, &version->common.info, "its columns are not the schema's");
    if (columns->row_count != (uint64_t)version->common.info.row_count)
        return damaged(err, &version->common.info, "its row count is not the catalogue's");
    return true;
}

static bool
open_columns(struct slot *slot, const char *folder, struct err *err)
{
    struct str path = arena_printf(&slot->arena, "%s/" COLUMNS_FILE_NAME, folder);
    scoped_fd fd = fs_open_at(AT_FDCWD, path.p, O_RDONLY, err);
    return fd >= 0 && columns_open(&slot->arena, &slot->version.columns, fd, err);
}

/* Goes without them where they are damaged or not there; a shortage passes, and the version
 * would stay open without them. */
static bool
open_trigrams(struct slot *slot, const char *folder, struct err *err)
{
    struct str path = arena_printf(&slot->arena, "%s/" TRIGRAMS_FILE_NAME, folder);
    scoped_fd fd = fs_open_at(AT_FDCWD, path.p, O_RDONLY, err);
    struct embedded_version *version = &slot->version;
    if (fd >= 0 && trigrams_open(&slot->arena, &version->trigrams, fd, &version->columns, err))
        return true;
    version->trigrams = (struct trigrams){0};
    return !err_is_shortage(err);
}

/* Whatever else the version is asked for can be answered without it. */
static bool
open_tfidf(struct slot *slot, const char *folder, struct err *err)
{
    struct str path = arena_printf(&slot->arena, "%s/" TFIDF_FILE_NAME, folder);
    scoped_fd fd = fs_open_at(AT_FDCWD, path.p, O_RDONLY, err);
    struct embedded_version *version = &slot->version;
    if (fd >= 0 && tfidf_open(&version->tfidf, fd, version->columns.row_count, err))
        return true;
    version->tfidf = (struct tfidf){0};
    return !err_is_shortage(err);
}

static bool
open_rows(struct slot *slot, const char *folder, struct err *err)
{
    struct embedded_version *version = &slot->version;
    const struct schema *schema = &version->common.schema;
    struct str path = arena_printf(&slot->arena, "%s/" ROWS_FILE_NAME, folder);
    version->rows = embedded_rows_open(&slot->arena, path.p, schema, err);
    if (version->rows)
        return true;
    /* A shortage is none of the file's, nor are names that leave none for the row number. */
    if (err_is_shortage(err) || err->kind == ERR_INVALID)
        return false;
    if (access(path.p, F_OK) != 0)
        return err_set(err, ERR_NOT_FOUND, "%s is not there", path.p);
    return lost(err, &version->common.info);
}

static bool
open_files(struct slot *slot, const char *data_dir, struct err *err)
{
    struct embedded_version *version = &slot->version;
    const char *folder = embedded_path(&slot->arena, data_dir, &version->common.info, "");
    if (!open_columns(slot, folder, err) || !check_shape(version, err) ||
        !open_rows(slot, folder, err))
        return false;
    struct err why = {0};
    if ((!(version->common.info.damaged & INTEGRITY_TRIGRAMS) &&
         !open_trigrams(slot, folder, &why)) ||
        (!(version->common.info.damaged & INTEGRITY_TFIDF) &&
         !open_tfidf(slot, folder, &why))) {
        *err = why;
        return false;
    }
    embedded_version_prepare(&slot->arena, version);
    return true;
}

static bool
read_info(struct slot *slot, struct db *db, struct str dataset, int64_t number, struct err *err)
{
    struct embedded_version *version = &slot->version;
    return dataset_version_get(&slot->arena, db, dataset, number, &version->common.info, err) &&
           schema_parse_json(&slot->arena, version->common.info.schema_json,
                             &version->common.schema, err);
}

/* An older version that is mapped may have been dropped since, or its files replaced. */
static bool
check_kept(struct engine_state *cache, struct str dataset, int64_t number, int64_t *edition,
           struct err *err)
{
    struct dataset_version info;
    if (!dataset_version_get(&cache->scratch, cache->db, dataset, number, &info, err))
        return false;
    *edition = info.edition;
    return true;
}

/* A version that was dropped occupies the disk for as long as it is mapped.  It is dropped when
 * a newer one is published, and that one is about to be opened. */
static void
close_dropped(struct engine_state *cache, const struct dataset *dataset)
{
    for (size_t i = 0; i < VERSIONS_OPEN_MAX; i++) {
        struct slot *slot = &cache->slots[i];
        struct err err = {0};
        int64_t edition;
        if (slot->used_at && slot->version.common.info.dataset_id == dataset->id &&
            !check_kept(cache, dataset->name, slot->version.common.info.number, &edition,
                        &err) &&
            err.kind == ERR_GONE)
            slot_close(slot);
    }
}

/* 1 done, 0 its files vanished meanwhile, -1 error. */
static int
open_slot(struct engine_state *cache, struct slot *slot, const struct dataset *dataset,
          int64_t number, struct err *err)
{
    if (!read_info(slot, cache->db, dataset->name, number, err))
        return number == dataset->version && err->kind == ERR_GONE ? 0 : -1;
    cache->last = slot->version.common.info;
    if (!check_known(cache, &cache->last, err))
        return -1;
    if (!open_files(slot, cache->data_dir, err))
        return err->kind == ERR_NOT_FOUND ? 0 : -1;
    return 1;
}

/* The slot of the version, opened if need be; the results of open_slot. */
static int
fill_slot(struct engine_state *cache, const struct dataset *dataset, int64_t number,
          struct slot **out, struct err *err)
{
    struct slot *slot = find_slot(cache, dataset->id, number);
    if (slot) {
        int64_t edition = dataset->edition;
        bool is_current = number == dataset->version;
        if (!is_current && !check_kept(cache, dataset->name, number, &edition, err))
            return -1;
        cache->last = slot->version.common.info;
        *out = slot;
        if (cache->last.edition == edition)
            return 1;
        slot_close(slot);
    }
    close_dropped(cache, dataset);
    slot = make_room(cache);
    int got = open_slot(cache, slot, dataset, number, err);
    if (got != 1)
        slot_close(slot);
    *out = slot;
    return got;
}

bool
embedded_open(struct engine_state *cache, const struct dataset *looked_up, int64_t number_or_0,
              const struct version **out, struct err *err)
{
    struct dataset dataset = *looked_up;
    struct slot *slot = NULL;
    int got = 0;
    arena_reset(&cache->scratch);
    struct str name = dataset.name = arena_str(&cache->scratch, looked_up->name);
    for (int tries = 0; tries < OPEN_TRIES_MAX && got == 0; tries++) {
        if (tries > 0 && !dataset_get(&cache->scratch, cache->db, name, &dataset, err))
            return false;
        got =
            fill_slot(cache, &dataset, number_or_0 ? number_or_0 : dataset.version, &slot, err);
    }
    if (got == 0)
        return err_set_code(err, ERR_BUSY, "index_damaged",
                            "the files of dataset '%" STR_FMT "' are not there; it has to be "
                            "indexed again",
                            STR_ARG(name));
    if (got < 0)
        return false;
    slot->version.common.dataset = dataset;
    slot->version.common.info.is_current = slot->version.common.info.number == dataset.version;
    slot->used_at = ++cache->calls;
    *out = &slot->version.common;
    return true;
}

void
embedded_doubt(struct engine_state *cache, struct writer *w)
{
    struct err ignored; /* the next check on the schedule comes in any case */
    const struct dataset_version *last = &cache->last, *doubted = &cache->doubted;
    bool is_told = last->dataset_id == doubted->dataset_id && last->number == doubted->number &&
                   last->edition == doubted->edition &&
                   last->checked_start == doubted->checked_start;
    bool is_known = last->damaged && last->checked_start == cache->start;
    if (last->dataset_id && !is_known && !is_told && integrity_doubt(w, last, &ignored))
        cache->doubted = *last;
}

bool
embedded_walk(struct engine_state *cache, const struct dataset_version *version,
              const struct str *names, size_t count, engine_line_fn *on_line, void *context,
              struct err *err)
{
    scoped_arena a = {0};
    const char *path = embedded_path(&a, cache->data_dir, version, ROWS_FILE_NAME);
    return rows_scan(path, names, count, on_line, context, err);
}
