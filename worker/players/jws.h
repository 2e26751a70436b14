/* JSON Web Signatures (RFC 7515) in compact form, with HS256 (RFC 7518, 3.2) and nothing else:
 *
 *     base64url(header) "." base64url(payload) "." base64url(HMAC-SHA256(key, all before it))
 *
 * Of base64url (RFC 4648, 5) only the canonical form is accepted: no padding, no blanks, no
 * extra bits in the last character. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Appends the signed form of `payload`; the header is {"alg":"HS256","typ":"JWT"}. */
void jws_sign(struct buf *out, struct str key, struct str payload);
/* The payload, in the arena, when one of the keys has signed `text`; an empty key is skipped.
 * The header is read first: strict JSON with alg "HS256", typ "JWT" or no typ, and neither
 * `crit` nor `b64`; other members (kid) are ignored.  Then the signature is compared, in
 * constant time.  Errors: unauthorized, code token_invalid. */
MUST_CHECK bool jws_open(struct arena *a, const struct str *keys, size_t key_count,
                         struct str text, struct str *payload, struct err *err);
