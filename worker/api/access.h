/* Who may do what: the scope of the key against the scope of the route, and the reads that are
 * open to everyone. */
#pragma once

#include "api/app.h"

/* Errors: unauthorized (401) without a key, forbidden (403) with one that is not enough. */
MUST_CHECK bool access_check(struct app *app, const struct request *request, struct err *err);
/* The dataset that the route is about: {dataset} of the path, or the one the short form serves.
 */
struct str access_dataset(const struct request *request);
#define ACCESS_SHORT_FORM_DATASET "games"
