/* The handlers, one per operation of the route table.  Each reads checked parameters, calls the
 * domain, and writes one response; what it returns false for becomes a problem. */
#pragma once

#include "api/app.h"

#define HANDLERS(X)                                                                            \
    X(livez)                                                                                   \
    X(readyz)                                                                                  \
    X(get_openapi)                                                                             \
    X(list_datasets)                                                                           \
    X(get_dataset)                                                                             \
    X(list_rows)                                                                               \
    X(get_row)                                                                                 \
    X(get_stats)                                                                               \
    X(list_groups)                                                                             \
    X(get_facets)                                                                              \
    X(get_histogram)                                                                           \
    X(list_similar)                                                                            \
    X(search_titles)                                                                           \
    X(create_import)                                                                           \
    X(list_versions)                                                                           \
    X(rollback_dataset)                                                                        \
    X(list_jobs)                                                                               \
    X(get_job)                                                                                 \
    X(cancel_job)                                                                              \
    X(list_rejects)                                                                            \
    X(list_reports)                                                                            \
    X(list_report_runs)                                                                        \
    X(create_report_run)                                                                       \
    X(get_report)                                                                              \
    X(earn)                                                                                    \
    X(spend)                                                                                   \
    X(get_balance)                                                                             \
    X(list_ledger)                                                                             \
    X(ping)                                                                                    \
    X(upload_csv)                                                                              \
    X(import_csv)                                                                              \
    X(query_games)                                                                             \
    X(games_stats)                                                                             \
    X(similar_games)                                                                           \
    X(register_player)                                                                         \
    X(log_in)                                                                                  \
    X(refresh_login)                                                                           \
    X(log_out)                                                                                 \
    X(get_me)                                                                                  \
    X(change_password)                                                                         \
    X(delete_me)                                                                               \
    X(send_event)                                                                              \
    X(send_events)                                                                             \
    X(list_events)                                                                             \
    X(get_event_stats)                                                                         \
    X(track_link)

#define X(name)                                                                                \
    MUST_CHECK bool name(struct app *app, struct request *request, struct response *response,  \
                         struct err *err);
HANDLERS(X)
#undef X
