#include "api/access.h"

#include "base/clock.h"
#include "import/read.h"
#include "players/session.h"

struct str
access_dataset_name(const struct request *request)
{
    bool has_name = str_find(str_from(request->route->pattern), STR("{dataset}")) >= 0;
    return has_name ? request_path_value(request, "dataset") : STR(ACCESS_SHORT_FORM_DATASET);
}

bool
access_dataset(struct app *app, const struct request *request, const struct dataset **out,
               struct err *err)
{
    *out = &app->dataset;
    return app->dataset.id || dataset_get(request->arena, app->db, access_dataset_name(request),
                                          &app->dataset, err);
}

static bool
refuse_caller(const struct request *request, struct err *err)
{
    const char *needed = http_scope_name(request->route->scope);
    if (request->scope == SCOPE_NONE)
        return err_set(err, ERR_UNAUTHORIZED,
                       "this needs a key of scope %s in the header X-API-Key", needed);
    return err_set(err, ERR_FORBIDDEN,
                   "this needs a key of scope %s, and the key of '%" STR_FMT "' has %s", needed,
                   STR_ARG(request->client), http_scope_name(request->scope));
}

/* Without a key nobody is told which datasets there are: one that is not public and one that is
 * not there are the same answer, from the same look-up.  What the settings declare public is no
 * secret before its first import. */
static bool
check_public(struct app *app, const struct request *request, struct err *err)
{
    struct str name = access_dataset_name(request);
    const struct config_dataset *declared = config_find_dataset(app->config, name);
    int got = dataset_find(request->arena, app->db, name, &app->dataset, err);
    if (got < 0 || (got && app->dataset.is_public))
        return got > 0;
    if (got == 0 && declared && declared->is_public)
        return err_set_code(err, ERR_NOT_FOUND, "nothing_published",
                            "nothing has been imported into dataset '%" STR_FMT "' yet",
                            STR_ARG(name));
    return err_set(err, ERR_UNAUTHORIZED,
                   "there is no public dataset '%" STR_FMT "': any other needs a key of scope "
                   "read in the header X-API-Key",
                   STR_ARG(name));
}

static bool
check_key(struct app *app, const struct request *request, struct err *err)
{
    const struct route *route = request->route;
    if (request->scope >= route->scope)
        return true;
    bool may_be_open = route->flags & (ROUTE_PUBLIC_DATASET | ROUTE_PUBLIC_LIST);
    if (!may_be_open || !app->config->access_public)
        return refuse_caller(request, err);
    return route->flags & ROUTE_PUBLIC_LIST || check_public(app, request, err);
}

/* `Bearer`, in any case, blanks, and the token (RFC 6750, 2.1). */
static bool
read_token(const struct request *request, struct str *out, struct err *err)
{
    struct str rest = request->header.authorization;
    struct str scheme = str_cut(&rest, ' ');
    if (!str_eq_ascii_nocase(scheme, STR("Bearer")))
        return err_set(err, ERR_UNAUTHORIZED,
                       "the header Authorization is 'Bearer TOKEN' here, its first word is not "
                       "Bearer");
    *out = str_trim(rest);
    return out->n || err_set_code(err, ERR_UNAUTHORIZED, "token_invalid",
                                  "the header Authorization says Bearer, and no token follows");
}

static bool
check_token(struct app *app, struct request *request, struct err *err)
{
    struct token_claims claims;
    struct str token;
    int64_t now_ms = clock_now_ms();
    if (!read_token(request, &token, err) ||
        !token_check(request->arena, &app->secrets, app->config->players_issuer, token,
                     now_ms / 1000, &claims, err) ||
        !session_check(app->db, str_from(claims.session_id), claims.player_id, now_ms, err))
        return false;
    request->player_id = claims.player_id;
    request->session_id = arena_str(request->arena, str_from(claims.session_id));
    return true;
}

static bool
refuse_without_token(const struct request *request, struct err *err)
{
    enum http_scope scope = request->route->scope;
    if (scope == SCOPE_NONE)
        return err_set(err, ERR_UNAUTHORIZED,
                       "this needs a player's token in the header Authorization: Bearer TOKEN");
    if (request->scope != SCOPE_NONE)
        return refuse_caller(request, err);
    return err_set(
        err, ERR_UNAUTHORIZED,
        "this needs a player's token in the header Authorization: Bearer TOKEN, or a "
        "key of scope %s in the header X-API-Key",
        http_scope_name(scope));
}

bool
access_check(struct app *app, struct request *request, struct err *err)
{
    const struct route *route = request->route;
    bool needs_player = route->flags & ROUTE_PLAYER;
    bool takes_token = needs_player || route->flags & ROUTE_MAY_BE_PLAYER;
    bool has_token = takes_token && request->header.authorization.n;
    if (has_token && !check_token(app, request, err))
        return false;
    if (!needs_player)
        return check_key(app, request, err);
    bool has_key = route->scope != SCOPE_NONE && request->scope >= route->scope;
    return has_token || has_key || refuse_without_token(request, err);
}
