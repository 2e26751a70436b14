/* Parsing of cells of the inputs. */
#pragma once

#include "base/buf.h"
#include "reports/names.h"

/* date_parse_exported_timestamp of the trimmed cell; a time without a zone is taken to be in
 * the input's time zone, which is `zone_offset_ms` ahead of UTC. */
MUST_CHECK bool cells_parse_time(struct str cell, int64_t zone_offset_ms, int64_t *ms);
/* Interns the trimmed cell in upper case; "(NONE)" when it is empty. */
uint32_t cells_intern_campaign(struct name_table *names, struct str cell);
