/* Jobs: the queue, one job, cancelling it. */
#include "api/handlers.h"
#include "api/job_json.h"
#include "api/listing.h"
#include "api/page.h"

static const char *const COLUMNS[] = {
    "id",     "kind",         "dataset",    "state",      "phase",         "label",
    "source", "bytes_total",  "bytes_done", "rows_done",  "rows_rejected", "rate_bytes_per_s",
    "eta_s",  "heartbeat_at", "created_at", "started_at", "finished_at",   "error",
    "result"};
static const struct listing_table JOBS = {.name = "jobs", LISTING_COLUMNS(COLUMNS)};

bool
list_jobs(struct app *app, struct request *request, struct response *response, struct err *err)
{
    struct job_filter filter = {
        .dataset = request_text(request, "dataset"),
        .state = request_text(request, "state"),
        .kind = request_text(request, "kind"),
        .limit = page_fetch_count(request),
    };
    struct job *jobs;
    size_t count;
    scoped_listing list = {0};
    if (!listing_begin(&list, &JOBS, request, response, err) ||
        !page_read_job_cursor(request, &filter.before_id, err) ||
        !job_list(request->arena, app->db, &filter, &jobs, &count, err))
        return false;
    bool has_more = page_cut(request, &count);
    for (size_t i = 0; i < count; i++) {
        job_add_json(listing_item(&list), &jobs[i]);
        if (!listing_end_item(&list, err))
            return false;
    }
    listing_end(&list, has_more ? jobs[count - 1].id : (struct str){NULL, 0},
                LISTING_UNCOUNTED);
    return true;
}

bool
get_job(struct app *app, struct request *request, struct response *response, struct err *err)
{
    return job_answer(request->arena, app->db, request_path_value(request, "id"), response,
                      err);
}

bool
cancel_job(struct app *app, struct request *request, struct response *response, struct err *err)
{
    struct str id = request_path_value(request, "id");
    return job_cancel(app->writer, id, err) &&
           job_answer(request->arena, app->db, id, response, err);
}
