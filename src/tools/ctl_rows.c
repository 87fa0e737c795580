#include "ctl_rows.h"

#include <inttypes.h>
#include <stdio.h>

#include "ctl_command.h"

const char *ctl_format_rating(int32_t rating_centi, char ret_text[CTL_RATING_BYTES])
{
    unsigned magnitude = rating_centi < 0 ? 0U - (unsigned)rating_centi : (unsigned)rating_centi;
    (void)snprintf(ret_text, CTL_RATING_BYTES, "%s%u.%02u", rating_centi < 0 ? "-" : "",
                   magnitude / 100, magnitude % 100);
    return ret_text;
}

/* The name last: how wide it is, terminals do not agree on. */
void ctl_print_rows(const struct board_row rows[], unsigned count, const struct id *own)
{
    printf("%8s  %9s  %8s  %8s  %8s  %8s  %10s  %-36s  %s\n", "place", "rating", "matches", "wins",
           "answers", "right", "points", "player", "name");
    for (unsigned i = 0; i < count; i++) {
        const struct board_row *row = &rows[i];
        char rating[CTL_RATING_BYTES];
        char player[ID_TEXT_BYTES + 1];
        char name[CTL_NAME_BYTES];
        id_format(&row->player, player);
        bool is_own = own != NULL && id_equal(&row->player, own);
        printf("%8" PRIu32 "%c %9s  %8" PRIu64 "  %8" PRIu64 "  %8" PRIu64 "  %8" PRIu64
               "  %10" PRIu64 "  %s  %s\n",
               row->place, is_own ? '*' : ' ', ctl_format_rating(row->rating_centi, rating),
               row->matches, row->wins, row->answers, row->right_answers, row->points, player,
               ctl_printable(row->name, name));
    }
}
