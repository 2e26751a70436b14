/* Jobs: the queue, one job, cancelling it. */
#include "api/handlers.h"
#include "api/job_json.h"
#include "api/page.h"

bool
list_jobs(struct app *app, struct request *request, struct response *response, struct err *err)
{
    uint64_t limit = (uint64_t)request_integer(request, "limit");
    struct job_filter filter = {
        .dataset = request_text(request, "dataset"),
        .state = request_text(request, "state"),
        .kind = request_text(request, "kind"),
        .limit = limit + 1, /* one more tells whether there is a next page */
    };
    struct job *jobs;
    size_t count;
    if (!page_read_job_cursor(request, &filter.before_id, err) ||
        !job_list(request->arena, app->db, &filter, &jobs, &count, err))
        return false;
    bool has_more = count > limit;
    count = MIN(count, limit);
    struct json j = page_begin(response);
    response_header(response, "Cache-Control", "no-store");
    for (size_t i = 0; i < count; i++)
        job_add_json(&j, &jobs[i]);
    page_begin_meta(&j, request, response,
                    has_more ? jobs[count - 1].id : (struct str){NULL, 0});
    page_end(&j);
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
