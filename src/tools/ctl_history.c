#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "ctl_command.h"
#include "ctl_rows.h"

enum { TIME_BYTES = 32 };

/* UTC, to the second; one that no calendar has is a number. */
static const char *format_time(wall_time at, char ret_text[TIME_BYTES])
{
    struct tm parts;
    time_t seconds = (time_t)(at.ms / 1000);
    if (at.ms < 0 || at.ms > INT64_C(253402300799999) || gmtime_r(&seconds, &parts) == NULL ||
        strftime(ret_text, TIME_BYTES, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) {
        (void)snprintf(ret_text, TIME_BYTES, "%" PRId64, at.ms);
    }
    return ret_text;
}

static const char *outcome_name(uint8_t outcome)
{
    static const char *const names[] = {
        [BOARD_WON] = "won", [BOARD_LOST] = "lost", [BOARD_DRAWN] = "drawn"};
    QR_ASSERT(outcome < sizeof(names) / sizeof(names[0]));
    return names[outcome];
}

static void print_match(const struct board_match *match)
{
    char at[TIME_BYTES];
    char id[ID_TEXT_BYTES + 1];
    char before[CTL_RATING_BYTES];
    char after[CTL_RATING_BYTES];
    char mode[CTL_NAME_BYTES];
    char reason[CTL_NAME_BYTES];
    char name[CTL_NAME_BYTES];
    id_format(&match->match, id);
    printf("%-20s  %-6s  %-9s  %-7s  %-5s  %6" PRIu32 " : %-6" PRIu32 "  %8s  %8s  %s  %s\n",
           format_time(match->ended_at, at), ctl_printable(match->mode, mode),
           ctl_printable(match->reason, reason), match->is_rated ? "rated" : "unrated",
           outcome_name(match->outcome), match->score, match->other_score,
           ctl_format_rating(match->rating_before_centi, before),
           ctl_format_rating(match->rating_after_centi, after), id,
           ctl_printable(match->other_name, name));
}

int ctl_history(const struct ctl_options *options)
{
    struct board *board = NULL;
    struct board_match matches[BOARD_ROWS_MAX];
    unsigned count = 0;
    int status = ctl_open_board(options, &board);
    if (status != 0) return status;
    const struct id *before = options->has_before ? &options->before : NULL;
    if (board_history(board, &options->player, before, options->count, matches, &count) != 0) {
        status = ctl_fail(EXIT_FAILURE, board_problem(board));
    } else {
        printf("%-20s  %-6s  %-9s  %-7s  %-5s  %6s   %-6s  %8s  %8s  %-36s  %s\n", "ended", "mode",
               "reason", "rated", "", "score", "other", "before", "after", "match", "against");
        for (unsigned i = 0; i < count; i++) print_match(&matches[i]);
        status = ctl_flush();
    }
    board_close(board);
    return status;
}
