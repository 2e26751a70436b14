#include "api/readiness.h"

#include "base/date.h"
#include "catalogue/integrity.h"

void
readiness_warn(struct buf *warnings, const char *about, const char *text)
{
    buf_printf(warnings, "%s%s: %s", warnings->n ? ". " : "", about, text);
}

static bool
refuse_dataset(struct err *err, const char *name, struct str why)
{
    return err_set_name(err, ERR_BUSY, "not_ready", str_from(name), "datasets: %" STR_FMT,
                        STR_ARG(why));
}

static struct str
name_of(const struct app *app, const struct request *request,
        const struct integrity_trouble *trouble)
{
    bool is_open = trouble->is_public && app->config->access_public;
    bool may_know = is_open || request->scope >= SCOPE_READ;
    return may_know ? trouble->dataset : STR("(one that is not public)");
}

static struct str
time_text(struct arena *a, int64_t ms)
{
    scoped_buf out;
    buf_init(&out, KIB);
    date_add_timestamp(&out, ms);
    return arena_str(a, buf_str(&out));
}

/* rows.db of `version` is lost: another version answers, or none. */
static struct str
tell_rows(struct arena *a, struct str name, const struct integrity_trouble *t)
{
    int64_t version = t->wanted_version ? t->wanted_version : t->version;
    struct str instead =
        t->wanted_version
            ? arena_printf(a,
                           "version %lld answers in its place (a rollback with version=%lld "
                           "settles for it)",
                           (long long)t->version, (long long)t->version)
            : STR("no other one is whole, so it is not answered from");
    return arena_printf(a,
                        "rows.db of version %lld of dataset %" STR_FMT
                        " is damaged since %" STR_FMT "; %" STR_FMT
                        "; import the whole file again, or put rows.db back from a "
                        "backup and run playmeter reindex",
                        (long long)version, STR_ARG(name), STR_ARG(time_text(a, t->damaged_at)),
                        STR_ARG(instead));
}

static bool
is_lost(const struct integrity_trouble *t)
{
    return t->damaged & INTEGRITY_ROWS;
}

static struct str
tell(struct arena *a, struct str name, const struct integrity_trouble *t)
{
    if (is_lost(t) && !t->is_unchecked)
        return tell_rows(a, name, t);
    if (t->damaged & INTEGRITY_COLUMNS && !t->is_unchecked)
        return arena_printf(
            a,
            "columns of version %lld of dataset %" STR_FMT " is damaged since %" STR_FMT
            " and is made again by a job of kind reindex",
            (long long)t->version, STR_ARG(name), STR_ARG(time_text(a, t->damaged_at)));
    return arena_printf(
        a, "the files of dataset %" STR_FMT " are being checked, as they are at each start",
        STR_ARG(name));
}

bool
readiness_check_datasets(const struct app *app, const struct request *request,
                         struct buf *warnings, struct err *err)
{
    struct arena *a = request->arena;
    struct integrity_trouble *list;
    size_t count;
    struct err why = {0};
    if (!integrity_troubles(a, app->db, app->config->start, &list, &count, &why))
        return refuse_dataset(err, "database", str_from(why.detail));
    /* What comes right by itself first: who waits for that is not told of the rest too early.
     */
    for (size_t i = 0; i < count; i++)
        if (list[i].is_unchecked || (list[i].damaged & INTEGRITY_COLUMNS && !is_lost(&list[i])))
            return refuse_dataset(err, READINESS_PASSING,
                                  tell(a, name_of(app, request, &list[i]), &list[i]));
    for (size_t i = 0; i < count; i++)
        if (is_lost(&list[i]))
            return refuse_dataset(err, READINESS_LOST,
                                  tell(a, name_of(app, request, &list[i]), &list[i]));
    if (count)
        readiness_warn(warnings, "datasets",
                       "an index file is damaged and is made again by a job of kind reindex");
    return true;
}
