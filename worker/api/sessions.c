/* Logins that are there: going on with one, ending it. */
#include "api/handlers.h"
#include "players/session.h"

bool
log_out(struct app *app, struct request *request, struct response *response, struct err *err)
{
    if (!session_revoke(app->writer, request->session_id, err))
        return false;
    response->status = 204;
    return true;
}
