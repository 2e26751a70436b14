/* What /readyz says: its warnings, and what it asks of the datasets. */
#pragma once

#include "api/app.h"

/* Adds "about: text" behind those that are there. */
void readiness_warn(struct buf *warnings, const char *about, const char *text);

/* What is named as at fault: that which comes right by itself (a check is under way, a file is
 * made again), and lost rows, which somebody has to bring back. */
#define READINESS_PASSING "files"
#define READINESS_LOST "datasets"

/* Fails as not_ready while a current version is damaged, stands in for one that is, or has not
 * been checked since the start: the first such dataset (of
 * those named READINESS_PASSING, if there are any), the version, since when, and what to
 * do.  Of a dataset that the caller may not read there is no name.  Warns where everything
 * is answered, and only slower or without similarity. */
MUST_CHECK bool readiness_check_datasets(const struct app *app, const struct request *request,
                                         struct buf *warnings, struct err *err);
