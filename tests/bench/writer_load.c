/* Load on the writer without HTTP: clients that each send an operation, wait for its commit and
 * send the next; as processes of their own, as the workers are.
 *
 *   writer_load earn SOCKET CLIENTS SECONDS FIRST COUNT    earn 1, by turns for COUNT players
 *   writer_load earn-alone FILE CLIENTS SECONDS 1 COUNT    the peer: the same statements on a
 *                             fresh database, every client with a connection and every earn
 * with a transaction of its own writer_load events SOCKET CLIENTS SECONDS FIRST COUNT  batches
 * of 1,000, each event with an id
 *
 * Prints {"per_second", "p50_ms", "p99_ms", "worst_ms"}; of events the rate is that of events.
 */
#include "base/clock.h"
#include "players/event.h"
#include "players/wallet.h"
#include "process/operations.h"
#include "store/sqlite.h"

#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENTS_MAX 64
#define CALLS_MAX 400000 /* of a client */
/* As the writer does it. */
#define CHECKPOINT_PAGES 1000
static const struct event_limits LIMITS = {.types_max = 1000, .types_per_player = 100};

struct client {
    atomic_uint_fast32_t count;
    uint32_t us[CALLS_MAX];
};

struct load {
    const char *path;
    unsigned number; /* of this client */
    unsigned client_count;
    uint64_t until_us;
    int64_t player_first, player_count;
    struct writer *writer;
    struct db *db; /* of the peer */
    struct event_new *events;
    struct event_result *results;
    char (*ids)[32];
};

static void
fail(const struct err *err)
{
    fprintf(stderr, "writer_load: %s\n", err->detail);
    exit(1);
}

static int64_t
player_of(const struct load *load, uint64_t call)
{
    return load->player_first +
           (int64_t)((call * load->client_count + load->number) % (uint64_t)load->player_count);
}

static void
earn(struct load *load, uint64_t call)
{
    char key[64];
    struct err err = {0};
    struct wallet_receipt receipt;
    snprintf(key, sizeof(key), "bench-%d-%" PRIu64, (int)getpid(), call);
    struct wallet_request request = {.player_id = player_of(load, call),
                                     .amount = 1,
                                     .reason = STR("bench"),
                                     .idempotency_key = str_from(key)};
    /* The peer's clients fight over the lock and may lose; they try again. */
    while (!wallet_run(load->writer, &request, &receipt, &err))
        if (!load->db || err.kind != ERR_BUSY)
            fail(&err);
    if (load->db && db_wal_pages(load->db) >= CHECKPOINT_PAGES)
        (void)!db_checkpoint(load->db, false, &err);
}

static void
send_events(struct load *load, uint64_t call)
{
    scoped_arena a = {0};
    struct err err = {0};
    for (size_t i = 0; i < EVENT_BATCH_MAX; i++) {
        snprintf(load->ids[i], sizeof(load->ids[i]), "%d-%" PRIu64 "-%zu", (int)getpid(), call,
                 i);
        load->events[i] = (struct event_new){.type = STR("level_up"),
                                             .client_id = str_from(load->ids[i]),
                                             .meta = STR("{\"level\": 7, \"hero\": \"ada\"}"),
                                             .client_at = 1769846400000,
                                             .has_client_at = true};
        load->results[i] = (struct event_result){0};
    }
    if (!event_store(&a, load->writer, player_of(load, call), load->events, load->results,
                     EVENT_BATCH_MAX, LIMITS, &err))
        fail(&err);
}

static void
run_client(struct load *load, bool is_events, struct client *out)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (uint64_t call = 0; call < CALLS_MAX; call++) {
        uint64_t began = clock_steady_us();
        if (began >= load->until_us)
            break;
        (is_events ? send_events : earn)(load, call);
        out->us[call] = (uint32_t)(clock_steady_us() - began);
        atomic_store(&out->count, (uint32_t)call + 1);
    }
}

/* The tables of the product, and players with the ids 1 to COUNT. */
static void
make_database(const char *path, int64_t player_count)
{
    struct err err = {0};
    int applied;
    scoped_db db = db_open(path, DB_MIGRATE, &err);
    char sql[512];
    snprintf(
        sql, sizeof(sql),
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < %" PRId64
        ") INSERT INTO player (username, username_folded, password_hash, created_at) "
        "SELECT 'p' || i, 'p' || i, '', 0 FROM n",
        player_count);
    if (!db || !db_migrate(db, &applied, &err) || !sqlite_exec(db_handle(db), sql, &err))
        fail(&err);
}

static void
open_client(struct load *load, bool is_alone)
{
    struct err err = {0};
    load->events = calloc(EVENT_BATCH_MAX, sizeof(*load->events));
    load->results = calloc(EVENT_BATCH_MAX, sizeof(*load->results));
    load->ids = calloc(EVENT_BATCH_MAX, sizeof(*load->ids));
    load->db = is_alone ? db_open(load->path, DB_WRITER, &err) : NULL;
    if (is_alone && !load->db)
        fail(&err);
    load->writer = is_alone ? writer_open_local(load->db, OPERATIONS, OPERATIONS_COUNT)
                            : writer_open(load->path);
}

static int
compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void
print(const struct client *clients, unsigned count, double seconds, unsigned each)
{
    size_t total = 0, n = 0;
    for (unsigned i = 0; i < count; i++)
        total += clients[i].count;
    uint32_t *us = calloc(total + 1, sizeof(*us));
    for (unsigned i = 0; i < count; i++) {
        memcpy(us + n, clients[i].us, clients[i].count * sizeof(*us));
        n += clients[i].count;
    }
    qsort(us, total, sizeof(*us), compare);
    size_t last = total ? total - 1 : 0;
    printf("{\"per_second\": %.1f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"worst_ms\": %.3f}\n",
           (double)(total * each) / seconds, us[last / 2] / 1e3,
           us[(size_t)(0.99 * (double)last)] / 1e3, us[last] / 1e3);
    free(us);
}

int
main(int argc, char **argv)
{
    if (argc != 7) {
        fprintf(stderr, "usage: %s earn|earn-alone|events PATH CLIENTS SECONDS FIRST COUNT\n",
                argv[0]);
        return 2;
    }
    bool is_alone = strcmp(argv[1], "earn-alone") == 0,
         is_events = strcmp(argv[1], "events") == 0;
    double seconds = strtod(argv[4], NULL);
    struct load load = {.path = argv[2],
                        .client_count = (unsigned)strtoul(argv[3], NULL, 10),
                        .player_first = strtoll(argv[5], NULL, 10),
                        .player_count = strtoll(argv[6], NULL, 10)};
    struct client *clients = mmap(NULL, CLIENTS_MAX * sizeof(*clients), PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (load.client_count < 1 || load.client_count > CLIENTS_MAX || clients == MAP_FAILED)
        return 2;
    if (is_alone)
        make_database(load.path, load.player_count);
    load.until_us = clock_steady_us() + (uint64_t)(seconds * 1e6);
    for (load.number = 0; load.number < load.client_count; load.number++) {
        pid_t pid = fork();
        if (pid == 0) {
            open_client(&load, is_alone);
            run_client(&load, is_events, &clients[load.number]);
            _exit(0);
        }
    }
    int status, failed = 0;
    while (wait(&status) > 0)
        failed |= status;
    print(clients, load.client_count, seconds, is_events ? EVENT_BATCH_MAX : 1);
    return failed != 0;
}
