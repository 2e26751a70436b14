/* Cells of the inputs as values. */
#pragma once

#include "base/buf.h"
#include "reports/names.h"

/* date_parse_exported_timestamp of the trimmed cell; a time without a zone is in the input's. */
MUST_CHECK bool cells_parse_time(struct str cell, int64_t zone_offset_ms, int64_t *ms);
/* Trimmed and upper-cased; "(NONE)" when empty. */
uint32_t cells_intern_campaign(struct name_table *names, struct str cell);
