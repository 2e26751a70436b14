/* Cells of the inputs as values. */
#pragma once

#include "base/buf.h"
#include "reports/names.h"

/* RFC 3339, or `YYYY-MM-DD HH:MM:SS` in the input's zone.  A T without a zone is neither: RFC
 * 3339 asks for one, so it was lost on the way. */
MUST_CHECK bool cells_parse_time(struct str cell, int64_t zone_offset_ms, int64_t *ms);
/* Trimmed and upper-cased; "(NONE)" when empty. */
uint32_t cells_intern_campaign(struct name_table *names, struct str cell);
