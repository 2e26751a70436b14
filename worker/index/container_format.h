/* The header as in the drawing of container.h, for the container's reader and writer only. */
#pragma once

#include "base/checksum.h"

#define CONTAINER_MAGIC "PMINDEX\n"

struct container_header {
    char magic[8];
    char kind[8];
    uint32_t version;
    uint32_t section_count;
    uint64_t row_count;
    uint64_t table_offset;
    uint64_t file_bytes;
    uint64_t table_checksum;
    uint64_t header_checksum;
};
