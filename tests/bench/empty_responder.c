/* The least a FastCGI worker can do: accept, answer one fixed row, detach.  What a request
 * costs beyond this is ours; the rest is nginx and libfcgi.
 *
 * Usage: empty_responder SOCKET WORKERS.  The parent makes the socket, forks the workers and
 * waits; SIGTERM ends them all. */
#include <fcgiapp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* About the size of a row of the games dataset without its long text. */
static const char BODY[] =
    "{\"app_id\":20200,\"name\":\"Empty\",\"release_date\":\"2008-10-21\"}\n";

static int
work(int socket)
{
    FCGX_Request request;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (FCGX_Init() != 0 || FCGX_InitRequest(&request, socket, 0) != 0)
        return 1;
    while (FCGX_Accept_r(&request) == 0) {
        char rest[4096];
        /* As the product does: the connection is ours to close as soon as the body is read. */
        request.keepConnection = 0;
        while (FCGX_GetStr(rest, sizeof(rest), request.in) > 0)
            ;
        FCGX_Detach(&request);
        FCGX_FPrintF(request.out,
                     "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n",
                     (int)sizeof(BODY) - 1);
        FCGX_PutStr(BODY, sizeof(BODY) - 1, request.out);
        FCGX_Finish_r(&request);
    }
    return 0;
}

static void
stop_group(int signal_number)
{
    (void)signal_number;
    _exit(0); /* the workers go with their parent */
}

int
main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s SOCKET WORKERS\n", argv[0]);
        return 2;
    }
    int socket = FCGX_OpenSocket(argv[1], 1024);
    if (socket < 0 || chmod(argv[1], 0666) != 0) {
        perror(argv[1]);
        return 1;
    }
    signal(SIGTERM, stop_group);
    for (long i = strtol(argv[2], NULL, 10); i > 0; i--) {
        if (fork() == 0) {
            signal(SIGTERM, SIG_DFL);
            return work(socket);
        }
    }
    while (wait(NULL) > 0)
        ;
    return 1;
}
