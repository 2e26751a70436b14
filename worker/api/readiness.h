/* What /readyz says of the datasets. */
#pragma once

#include "api/app.h"

/* Fails as not_ready while a current version is damaged, stands in for one that is, or has not
 * been checked since the start: the first such dataset, the version, since when, and what to
 * do.  Of a dataset that the caller may not read there is no name.  `warning` is set where
 * everything is answered, and only slower or without likeness. */
MUST_CHECK bool readiness_check_datasets(const struct app *app, const struct request *request,
                                         const char **warning, struct err *err);
