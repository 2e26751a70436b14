/* The release: what `playmeter version` prints, what openapi.yaml states, and a part of every
 * ETag, since a newer program may answer the same question about the same version differently.
 */
#pragma once

#define RELEASE "0.1.0"
