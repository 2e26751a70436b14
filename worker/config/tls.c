/* The certificate and its key are read only for their digest, so that a renewed pair changes
 * nginx's files; whether the two match is checked by nginx.  Neither is copied. */
#include "config/config.h"

#include "base/fs.h"
#include "base/sha256.h"

#include <errno.h>
#include <unistd.h>

/* A chain has a few certificates of some KiB each. */
#define PEM_BYTES_MAX MIB

static bool
add_file(struct arena *a, struct sha256 *digest, const char *setting, struct str path,
         bool is_key, struct err *err)
{
    const char *file = arena_cstr(a, path);
    scoped_buf pem;
    buf_init(&pem, PEM_BYTES_MAX);
    if (access(file, R_OK) && errno == EACCES)
        return err_set(err, ERR_FORBIDDEN,
                       "%s: %s cannot be read by the user that the service runs as", setting,
                       file);
    if (!fs_read_named(&pem, file, err))
        return err_set(err, err->kind, "%s: %s", setting, err->detail);
    /* nginx would ask for the pass phrase on the terminal and wait. */
    if (is_key && str_find(buf_str(&pem), STR("ENCRYPTED")) >= 0)
        return err_set(err, ERR_INVALID,
                       "%s: the key in %s has a pass phrase, and nobody is there to type it; "
                       "take it off with: openssl pkey -in %s -out NEW",
                       setting, file, file);
    sha256_add(digest, buf_str(&pem));
    return true;
}

bool
config_read_tls(struct arena *a, struct config *config, struct err *err)
{
    if (config->http_tls_certificate.n == 0)
        return true;
    char hex[SHA256_HEX_BYTES + 1];
    struct sha256 digest;
    sha256_init(&digest);
    bool ok = add_file(a, &digest, "http.tls_certificate", config->http_tls_certificate, false,
                       err) &&
              add_file(a, &digest, "http.tls_key", config->http_tls_key, true, err);
    sha256_finish_hex(&digest, hex);
    if (ok)
        config->tls_digest = arena_str(a, str_from(hex));
    return ok;
}
