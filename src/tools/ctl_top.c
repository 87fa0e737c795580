#include <stdlib.h>

#include "ctl_command.h"
#include "ctl_rows.h"

int ctl_top(const struct ctl_options *options)
{
    struct board *board = NULL;
    struct board_row rows[BOARD_ROWS_MAX];
    unsigned count = 0;
    int status = ctl_open_board(options, &board);
    if (status != 0) return status;
    if (board_top(board, &options->key, options->count, rows, &count) != 0) {
        status = ctl_fail(EXIT_FAILURE, board_problem(board));
    } else {
        ctl_print_rows(rows, count, NULL);
        status = ctl_flush();
    }
    board_close(board);
    return status;
}
