/* What a worker of the api role has open, handed to every handler. */
#pragma once

#include "catalogue/files.h"
#include "config/config.h"
#include "http/router.h"
#include "players/password.h"
#include "players/strength.h"
#include "players/token.h"
#include "query/engine.h"
#include "writer/client.h"

struct app {
    const struct config *config;
    const char *data_dir;
    const char *heartbeat_path;   /* holds the steady clock (us), while the jobs role lives */
    const char *ledger_mark_path; /* a file while the ledger is known to be broken */
    const char *kept_mark_path;   /* a file while there are folders that nobody may remove */
    struct db *db;                /* read-only */
    const struct version_files *files;
    struct writer *writer;
    const struct engine *engine;
    struct engine_state *versions; /* what the engine has open of them */
    struct dataset dataset;        /* the request's; see access_dataset */
    struct token_secrets secrets;  /* what players' tokens are signed with */
    struct password_hasher hasher;
    struct strength_watch dictionary;
    struct buf openapi; /* empty until the worker is asked for it: few are */
};

/* The rows, from top to bottom; see routes.c. */
extern const struct route ROUTES[];
extern const size_t ROUTE_COUNT;
/* Of an import: its options in the order of IMPORT_OPTIONS, then altname. */
extern const struct route_param IMPORT_PARAMS[];

/* Answers one request: finds the row, checks what it declares, calls the handler, and turns an
 * error into a problem.  Fits serve_run; `context` is the app. */
void app_handle(void *context, struct request *request, struct response *response,
                struct err *err);
/* The moment (steady clock, us) by which the request has to be answered. */
uint64_t app_deadline_us(const struct app *app, const struct request *request);
