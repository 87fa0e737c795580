/* A board's rows as a table on standard output. Main thread. */
#pragma once

#include "edge/board.h"

/* `own`: the player whose row is marked; NULL: none is. */
void ctl_print_rows(const struct board_row rows[], unsigned count, const struct id *own);

/* "1512.34" */
enum { CTL_RATING_BYTES = 16 };
const char *ctl_format_rating(int32_t rating_centi, char ret_text[CTL_RATING_BYTES]);
