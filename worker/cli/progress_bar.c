#include "cli/progress_bar.h"

#include <stdio.h>
#include <unistd.h>

#define BAR_CELLS 30

void
progress_bar_init(struct progress_bar *bar)
{
    *bar = (struct progress_bar){.is_terminal = isatty(STDERR_FILENO)};
}

static void
draw(struct progress_bar *bar, const struct job_progress *p)
{
    static const char FULL[] = "##############################";
    static const char EMPTY[] = "..............................";
    uint64_t share = p->bytes_total ? p->bytes_done * 1000 / p->bytes_total : 0;
    int full = (int)(MIN(share, 1000) * BAR_CELLS / 1000);
    fprintf(stderr, "\r\033[K[%.*s%.*s] %3d%%  %-10s %.1f MB", full, FULL, BAR_CELLS - full,
            EMPTY, (int)(MIN(share, 1000) / 10), bar->phase, (double)p->bytes_done / 1e6);
    if (p->rows_done)
        fprintf(stderr, "  %llu rows", (unsigned long long)p->rows_done);
    if (p->rows_rejected)
        fprintf(stderr, "  %llu rejected", (unsigned long long)p->rows_rejected);
    fflush(stderr);
    bar->is_drawn = true;
}

void
progress_bar_show(struct progress_bar *bar, const struct job_progress *progress)
{
    bool is_new = !str_eq(progress->phase, str_from(bar->phase));
    snprintf(bar->phase, sizeof(bar->phase), "%" STR_FMT, STR_ARG(progress->phase));
    if (bar->is_terminal)
        draw(bar, progress);
    else if (is_new && progress->phase.n)
        fprintf(stderr, "%s\n", bar->phase);
}

void
progress_bar_end(struct progress_bar *bar)
{
    if (bar->is_drawn)
        fputc('\n', stderr);
    bar->is_drawn = false;
}
