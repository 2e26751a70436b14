/* Queueing an import, for the resource and the short form. */
#pragma once

#include "api/body.h"

MUST_CHECK bool imports_submit(struct app *app, struct request *request, struct str dataset,
                               unsigned forms, struct str *job_id, struct err *err);
