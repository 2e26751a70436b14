/* A job as JSON, in one shape: the schema `job` of openapi.yaml. */
#pragma once

#include "http/response.h"
#include "jobs/job.h"
#include "json/write.h"

void job_add_json(struct json *j, const struct job *job);
/* Answers the job of that id. */
MUST_CHECK bool job_answer(struct arena *a, struct db *db, struct str id,
                           struct response *response, struct err *err);
/* 202 for work that was queued: Location, Retry-After. */
void job_answer_accepted(struct response *response, struct str id);
