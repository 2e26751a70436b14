/* Random bytes from the kernel, fit for names and keys. */
#pragma once

#include "base/base.h"

void random_bytes(void *out, size_t n);
/* `digits` lower-case hex digits and a NUL. */
void random_hex(char *out, size_t digits);
