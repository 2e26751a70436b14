/* What a failure is over HTTP: the status of its kind, and the title of its problem
 * document. */
#pragma once

#include "base/err.h"

int http_status(const struct err *err);
const char *http_title(const struct err *err);
/* RFC 9110's words for a status that is answered here; "" for another. */
const char *http_reason(int status);
