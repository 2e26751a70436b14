/* The surface as nginx has to know it, made of the route table. */
#pragma once

#include "config/nginx.h"

/* Every path of the table once, in its order, and again without /v1 where it is there too.
 * That rows of one path disagree about pool, zone or the root is our own mistake and
 * asserts. */
struct nginx_locations surface_locations(struct arena *a);
