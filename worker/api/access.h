/* Who may do what: the scope of the key against the scope of the route, the reads that are open
 * to everyone, and the players' tokens. */
#pragma once

#include "api/app.h"

/* Fills request->player_id and session_id where the route takes a token and one came.  Errors:
 * unauthorized (401) without a key or token, or with a token that is not good (its code then
 * begins with token_); forbidden (403) with a key that is not enough. */
MUST_CHECK bool access_check(struct app *app, struct request *request, struct err *err);
/* The name of the dataset that the route is about: {dataset} of the path, or the one the short
 * form serves. */
struct str access_dataset_name(const struct request *request);
/* That dataset, looked up once in a request.  Errors: not_found, naming the nearest one. */
MUST_CHECK bool access_dataset(struct app *app, const struct request *request,
                               const struct dataset **out, struct err *err);
#define ACCESS_SHORT_FORM_DATASET "games"
