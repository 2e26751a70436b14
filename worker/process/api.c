/* The api role: a query or play worker.  Opens what handlers need, read-only where possible,
 * and serves until it is told to stop. */
#include "api/app.h"
#include "base/log.h"
#include "embedded/engine.h"
#include "embedded/files.h"
#include "http/serve.h"
#include "role/role.h"

#include <malloc.h>

/* How much freed memory a worker keeps: enough for the arrays of a statistic over 100,000
 * rows, so that their pages are not requested and zeroed again for each request. */
#define KEPT_BYTES_MAX (4 * MIB)
#define KEPT_CHUNK_BYTES_MAX (2 * MIB)

struct handles {
    struct arena arena; /* lives as long as the process */
    struct app app;
};

/* However slow the writer is, half of the query workers stay free for reads, and four of the
 * play workers: these mainly write, and many waiting together make large commits. */
#define PLAY_WORKERS_FREE 4

static bool
open_writer(const struct role_env *env, struct handles *h, struct err *err)
{
    const struct config *config = env->config;
    bool is_play = env->role == ROLE_PLAY;
    int64_t count = (int64_t)(is_play ? config->workers_play : config->workers_query);
    int64_t share = is_play ? MAX(count - PLAY_WORKERS_FREE, count / 2) : count / 2;
    h->app.writer = writer_open(role_path(&h->arena, config, ROLE_WRITER_SOCKET));
    return writer_share(
        h->app.writer,
        role_path(&h->arena, config, is_play ? ROLE_PLAY_SLOTS : ROLE_QUERY_SLOTS),
        (unsigned)share, err);
}

static bool
open_handles(const struct role_env *env, struct handles *h, struct err *err)
{
    const struct config *config = env->config;
    struct app *app = &h->app;
    app->config = config;
    app->data_dir = arena_cstr(&h->arena, config->data_dir);
    app->heartbeat_path = role_path(&h->arena, config, ROLE_JOBS_HEARTBEAT);
    app->ledger_mark_path = role_path(&h->arena, config, ROLE_LEDGER_MARK);
    app->kept_mark_path = role_path(&h->arena, config, ROLE_KEPT_MARK);
    app->db = db_open(role_path(&h->arena, config, ROLE_DB), DB_READ_ONLY, err);
    if (!app->db || !open_writer(env, h, err))
        return false;
    if (!token_read_secrets(&h->arena, config, &app->secrets, err) ||
        !password_open(config, &app->hasher, err))
        return false;
    app->engine = &EMBEDDED_ENGINE;
    app->files = &EMBEDDED_FILES;
    app->versions = app->engine->start(app->db, app->data_dir, config->start);
    return true;
}

static void
close_handles(struct handles *h)
{
    if (h->app.engine)
        h->app.engine->stop(&h->app.versions);
    password_close(&h->app.hasher);
    writer_close(&h->app.writer);
    db_close(&h->app.db);
    buf_free(&h->app.openapi);
    arena_free(&h->arena);
}

int
role_run_api(const struct role_env *env)
{
    SCOPED(close_handles) struct handles handles = {.app.hasher.slots.fd = -1};
    struct err err = {0};

    /* By default glibc adapts both thresholds to the last freed block: too small for the next
 * statistic, and up to 64 MiB kept after one large response. */
    mallopt(M_TRIM_THRESHOLD, (int)KEPT_BYTES_MAX);
    mallopt(M_MMAP_THRESHOLD, (int)KEPT_CHUNK_BYTES_MAX);
    bool is_ready = serve_init(&err);
    /* After libfcgi has installed its own handlers. */
    role_handle_signals();
    is_ready = is_ready && open_handles(env, &handles, &err);
    /* The memory that reading the YAML files took is not needed again. */
    malloc_trim(0);
    if (is_ready && serve_run(env->listen_fd, app_handle, &handles.app, role_is_stopping, &err))
        return 0;
    log_message(LOG_ERROR, "worker_failed", "%s", err.detail);
    return 1;
}
