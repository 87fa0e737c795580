/* Walks all pairs of state and event, and compares what happens with the table of docs/match.md.
 *
 * Every event is ADA's. A cell is what the step causes, in order, and the state it leads to where
 * that is another.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "match_fixture.h"

enum { MATRIX_BYTES = 16384, DOCUMENT_BYTES = 65536 };

static void nothing(struct game *game)
{
    (void)game;
}

static void ada_answers(struct game *game)
{
    uint8_t round = game->match.round > 0 ? game->match.round : 1;
    answer(game, ADA, round, 0);
}

static void ben_answers(struct game *game)
{
    answer(game, BEN, game->match.round, 0);
}

static void ada_sends_an_emote(struct game *game)
{
    emote(game, ADA);
}

static void ada_is_lost(struct game *game)
{
    is_lost(game, ADA);
}

static void ada_is_back(struct game *game)
{
    is_back(game, ADA);
}

static void ada_leaves(struct game *game)
{
    leaves(game, ADA);
}

static void ada_leaves_this_match(struct game *game)
{
    leaves_this_match(game, ADA);
}

static void ben_is_lost(struct game *game)
{
    is_lost(game, BEN);
}

/* ADA is away and BEN is gone; once nothing is played any more, a leave makes nobody gone. */
static void ben_is_gone(struct game *game)
{
    is_lost(game, ADA);
    leaves_this_match(game, BEN);
}

static void the_grace_timer(struct game *game)
{
    grace_timer(game, ADA);
}

static void an_old_grace_timer(struct game *game)
{
    grace_timer_tagged(game, ADA, UINT16_MAX);
}

static void an_old_phase_timer(struct game *game)
{
    phase_timer_tagged(game, UINT16_MAX);
}

static void a_cancel(struct game *game)
{
    is_cancelled(game, MATCH_END_CANCELLED);
}

static void a_shutdown(struct game *game)
{
    is_cancelled(game, MATCH_END_SHUTDOWN);
}

static void a_recovery(struct game *game)
{
    server_is_back(game, 1000);
}

typedef void game_verb(struct game *game);

static const struct {
    enum match_event_kind kind;
    const char *when;
    game_verb *in_round; /* When the round before the state in question was asked. */
    game_verb *before;
    game_verb *event;
} rows[] = {
    {MATCH_EVENT_ANSWER, "the first", nothing, nothing, ada_answers},
    {MATCH_EVENT_ANSWER, "the last of all", ben_answers, nothing, ada_answers},
    {MATCH_EVENT_ANSWER, "repeated", ada_answers, nothing, ada_answers},
    {MATCH_EVENT_EMOTE, "", nothing, nothing, ada_sends_an_emote},
    {MATCH_EVENT_PRESENCE, "lost", nothing, nothing, ada_is_lost},
    {MATCH_EVENT_PRESENCE, "here, as before", nothing, nothing, ada_is_back},
    {MATCH_EVENT_PRESENCE, "back", nothing, ada_is_lost, ada_is_back},
    {MATCH_EVENT_PRESENCE, "back, the other gone", nothing, ben_is_gone, ada_is_back},
    {MATCH_EVENT_PRESENCE, "leave", nothing, nothing, ada_leaves},
    {MATCH_EVENT_PRESENCE, "leave, match named", nothing, nothing, ada_leaves_this_match},
    {MATCH_EVENT_PRESENCE, "leave, match named, the other away", nothing, ben_is_lost,
     ada_leaves_this_match},
    {MATCH_EVENT_PHASE_TIMER, "", nothing, nothing, phase_timer},
    {MATCH_EVENT_PHASE_TIMER, "old", nothing, nothing, an_old_phase_timer},
    {MATCH_EVENT_GRACE_TIMER, "", nothing, ada_is_lost, the_grace_timer},
    {MATCH_EVENT_GRACE_TIMER, "the other gone", nothing, ben_is_gone, the_grace_timer},
    {MATCH_EVENT_GRACE_TIMER, "old", nothing, ada_is_lost, an_old_grace_timer},
    {MATCH_EVENT_SAVED, "", nothing, nothing, is_saved},
    {MATCH_EVENT_SAVE_FAILED, "", nothing, nothing, save_failed},
    {MATCH_EVENT_CANCEL, "cancelled", nothing, nothing, a_cancel},
    {MATCH_EVENT_CANCEL, "shutdown", nothing, nothing, a_shutdown},
    {MATCH_EVENT_RECOVERED, "", nothing, nothing, a_recovery},
    {MATCH_EVENT_RECOVERED, "ADA away, the other gone", nothing, ben_is_gone, a_recovery},
};
enum { ROW_COUNT = sizeof(rows) / sizeof(*rows) };

/* A match of one round where it is to be over, of several otherwise. */
static struct game game_before(enum match_state state, game_verb *in_round)
{
    struct match_settings settings = game_settings();
    if (state >= MATCH_SETTLING) settings.rounds = 1;
    struct game game = game_of(settings);
    if (state == MATCH_STARTING) return game;
    phase_timer(&game);
    in_round(&game);
    if (state == MATCH_ASKING) return game;
    phase_timer(&game);
    if (state == MATCH_ENDED) is_saved(&game);
    return game;
}

static void print_cell(char *cell, size_t bytes, const struct game *game, enum match_state before)
{
    char caused[EFFECTS_TEXT_BYTES];
    if (game->match.fault != NULL) {
        snprintf(cell, bytes, "*fault*");
    } else if (game->match.state != before) {
        snprintf(cell, bytes, "%s → **%s**", effects_text(game, caused),
                 match_state_name((enum match_state)game->match.state));
    } else {
        snprintf(cell, bytes, "%s", game->effects.count > 0 ? effects_text(game, caused) : "–");
    }
}

static void append(char matrix[MATRIX_BYTES], const char *text)
{
    size_t length = strlen(matrix);
    assert_true(length + strlen(text) < MATRIX_BYTES);
    strcpy(matrix + length, text);
}

static void append_row(char matrix[MATRIX_BYTES], unsigned row)
{
    char cell[EFFECTS_TEXT_BYTES + 64];
    const char *when = rows[row].when;
    snprintf(cell, sizeof(cell), "| `%s`%s%s |", match_event_name(rows[row].kind),
             *when != '\0' ? " " : "", when);
    append(matrix, cell);
    for (unsigned i = 0; i < MATCH_STATE_COUNT; i++) {
        enum match_state state = (enum match_state)i;
        struct game game = game_before(state, rows[row].in_round);
        rows[row].before(&game);
        assert_int_equal(game.match.state, state);
        rows[row].event(&game);
        print_cell(cell, sizeof(cell), &game, state);
        append(matrix, " ");
        append(matrix, cell);
        append(matrix, " |");
    }
    append(matrix, "\n");
}

static void print_matrix(char matrix[MATRIX_BYTES])
{
    matrix[0] = '\0';
    append(matrix, "| event |");
    for (unsigned i = 0; i < MATCH_STATE_COUNT; i++) {
        append(matrix, " ");
        append(matrix, match_state_name((enum match_state)i));
        append(matrix, " |");
    }
    append(matrix, "\n|---|");
    for (unsigned i = 0; i < MATCH_STATE_COUNT; i++) append(matrix, "---|");
    append(matrix, "\n");
    for (unsigned row = 0; row < ROW_COUNT; row++) append_row(matrix, row);
}

/* What stands between the markers of the document. */
static void read_matrix(char matrix[MATRIX_BYTES])
{
    static const char begin[] = "<!-- match-matrix -->\n";
    static const char end[] = "<!-- /match-matrix -->";
    static char document[DOCUMENT_BYTES];
    FILE *file = fopen(QR_SOURCE_DIR "/docs/match.md", "r");
    assert_non_null(file);
    size_t length = fread(document, 1, sizeof(document) - 1, file);
    assert_int_equal(fclose(file), 0);
    document[length] = '\0';
    const char *first = strstr(document, begin);
    assert_non_null(first);
    first += sizeof(begin) - 1;
    const char *behind = strstr(first, end);
    assert_non_null(behind);
    size_t matrix_length = (size_t)(behind - first);
    assert_true(matrix_length < MATRIX_BYTES);
    memcpy(matrix, first, matrix_length);
    matrix[matrix_length] = '\0';
}

static void what_happens_in_each_state_is_the_table_of_the_document(void **state)
{
    (void)state;
    static char happens[MATRIX_BYTES];
    static char documented[MATRIX_BYTES];
    print_matrix(happens);
    read_matrix(documented);
    if (strcmp(happens, documented) != 0) fputs(happens, stdout); /* To be put there. */
    assert_true(strcmp(happens, documented) == 0);
}

static void the_table_has_every_kind_of_event(void **state)
{
    (void)state;
    unsigned kinds = 0;
    for (unsigned row = 0; row < ROW_COUNT; row++) kinds |= 1u << rows[row].kind;
    assert_int_equal(kinds, (1u << MATCH_EVENT_COUNT) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_happens_in_each_state_is_the_table_of_the_document),
        cmocka_unit_test(the_table_has_every_kind_of_event),
    };
    return cmocka_run_group_tests_name("match_matrix", tests, NULL, NULL);
}
