/* POST and PUT of a CSV file, or of a link to one: answered with the job that reads it. */
#include "api/imports.h"

#include "api/handlers.h"
#include "api/job_json.h"

bool
imports_submit(struct app *app, struct request *request, struct str dataset, unsigned forms,
               struct str *job_id, struct err *err)
{
    struct body body;
    if (!body_read(request, forms, &body, err))
        return false;
    struct import_request wanted = {
        .config = app->config,
        .data_dir = app->data_dir,
        .dataset = dataset,
        .options = &body.options,
        .source_path = body.path,
        .source_offset = body.source_offset,
        .source_length = body.source_length,
        .source_name = body.source_name,
        .request_id = request->id,
    };
    return import_submit(request->arena, app->writer, &wanted, job_id, err);
}

bool
create_import(struct app *app, struct request *request, struct response *response,
              struct err *err)
{
    struct str job_id;
    unsigned forms = BODY_MULTIPART | BODY_RAW | BODY_JSON;
    if (!imports_submit(app, request, request_path_value(request, "dataset"), forms, &job_id,
                        err) ||
        !job_answer(request->arena, app->db, job_id, response, err))
        return false;
    job_answer_accepted(response, job_id);
    return true;
}
