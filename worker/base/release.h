/* The release: what `playmeter version` prints, openapi.yaml states, and every ETag names,
 * since a newer program may answer the same question about the same version otherwise. */
#pragma once

#define RELEASE "0.1.0"
