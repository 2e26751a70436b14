/* Cross-origin requests (the Fetch standard's CORS protocol) for the origins that the
 * configuration names. */
#pragma once

#include "config/config.h"
#include "http/response.h"

/* Adds what a browser needs to let the page of a listed origin read the answer, and, for a
 * preflight, to send the request.  Nothing where no origin is listed. */
void cors_add_headers(const struct config *config, const struct request *request,
                      struct response *response);
