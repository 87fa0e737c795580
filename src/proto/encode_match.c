/* The messages that a match's log holds. They are encoded again whenever a player missed one, so
 * nothing is read here that changes once its entry was told: ids, names, settings, the round table,
 * and for `end` the outcome. */

#include "core/match.h"
#include "core/question.h"
#include "proto/encode.h"
#include "rating_priv.h"
#include "wire_priv.h"

static void open_entry(struct wire *out, const char *type, const struct match *match, uint16_t seq)
{
    wire_open_message(out, type);
    wire_member_id(out, "match", &match->id);
    wire_member_int(out, "seq", seq);
}

static void encode_match(struct wire *out, const struct match *match, uint16_t seq)
{
    wire_open_message(out, "match");
    wire_member_id(out, "match", &match->id);
    wire_member_string(out, "mode", match_mode_name((enum match_mode)match->settings.mode));
    wire_member_bool(out, "rated", match->is_rated);
    wire_member_int(out, "seq", seq);
    wire_member_array(out, "players");
    for (unsigned i = 0; i < match->player_count; i++) {
        const struct match_player *player = &match->players[i];
        wire_open_object(out);
        wire_member_id(out, "player", &player->player);
        wire_member_string(out, "name", player->name);
        wire_member_int(out, "rating", rating_shown(player->rating.rating_centi));
        if (player->is_bot) wire_member_bool(out, "bot", true);
        wire_close_object(out);
    }
    wire_close_array(out);
    wire_member_int(out, "rounds", match->settings.rounds);
    wall_time created_at = match_wall(match, match->created_at);
    wire_member_int(out, "starts_at_ms", created_at.ms + match->settings.start_ms);
    wire_close_message(out);
}

static void encode_round(struct wire *out, const struct match *match, uint16_t seq, uint8_t number)
{
    const struct match_round *round = &match->rounds[number - 1];
    const struct question *question = &match->bank->questions[round->question];
    wall_time began_at = match_wall(match, match_began_at(match, round));

    open_entry(out, "round", match, seq);
    wire_member_int(out, "round", number);
    wire_member_int(out, "rounds", match->settings.rounds);
    wire_member_id(out, "question_id", &question->id);
    wire_member_string(out, "category", match->bank->categories[question->category].name);
    wire_member_string(out, "difficulty", difficulty_name((enum difficulty)question->difficulty));
    wire_member_string(out, "question", question->text);
    wire_member_array(out, "choices");
    for (unsigned i = 0; i < round->choice_count; i++) {
        wire_string(out, question->choices[round->places[i]]);
    }
    wire_close_array(out);
    wire_member_int(out, "time_ms", match->settings.round_time_ms);
    wire_member_int(out, "deadline_ms", began_at.ms + match->settings.round_time_ms);
    wire_member_int(out, "weight", round->weight);
    wire_close_message(out);
}

static void write_result(struct wire *out, const struct match_round *round, unsigned player)
{
    const struct match_answer *answer = &round->answers[player];
    wire_open_object(out);
    if (answer->choice == MATCH_CHOICE_NONE) {
        wire_member_null(out, "choice");
        wire_member_null(out, "at_ms");
    } else {
        wire_member_int(out, "choice", answer->choice);
        wire_member_int(out, "at_ms", match_answer_time(round, player));
    }
    wire_member_int(out, "points", answer->points);
    wire_member_int(out, "score", round->scores[player]);
    wire_member_int(out, "streak", round->streaks[player]);
    wire_close_object(out);
}

static void encode_reveal(struct wire *out, const struct match *match, uint16_t seq, uint8_t number)
{
    const struct match_round *round = &match->rounds[number - 1];
    wall_time revealed_at = match_wall(match, match_revealed_at(match, round));

    open_entry(out, "reveal", match, seq);
    wire_member_int(out, "round", number);
    wire_member_int(out, "correct", match_right_place(match, number));
    if (number == match->settings.rounds) {
        wire_member_null(out, "next_at_ms");
    } else {
        wire_member_int(out, "next_at_ms", revealed_at.ms + match->settings.reveal_time_ms);
    }
    wire_member_array(out, "results");
    for (unsigned i = 0; i < match->player_count; i++) write_result(out, round, i);
    wire_close_array(out);
    wire_close_message(out);
}

static void encode_peer(struct wire *out, const struct match *match, uint16_t seq,
                        const struct match_log_entry *entry, const char *state)
{
    open_entry(out, "peer", match, seq);
    wire_member_int(out, "player", entry->player);
    wire_member_string(out, "state", state);
    if (entry->kind == MATCH_LOG_AWAY) wire_member_int(out, "grace_ms", match->settings.grace_ms);
    wire_close_message(out);
}

static void write_ratings(struct wire *out, const struct match *match)
{
    if (!match_shows_ratings(match)) {
        wire_member_null(out, "ratings");
        return;
    }
    wire_member_array(out, "ratings");
    for (unsigned i = 0; i < match->player_count; i++) {
        const struct match_player *player = &match->players[i];
        wire_open_object(out);
        wire_member_int(out, "before", rating_shown(player->rating.rating_centi));
        wire_member_int(out, "after", rating_shown(player->rating_after.rating_centi));
        wire_close_object(out);
    }
    wire_close_array(out);
}

static void encode_end(struct wire *out, const struct match *match, uint16_t seq)
{
    unsigned revealed = match_revealed_rounds(match, seq);

    open_entry(out, "end", match, seq);
    wire_member_string(out, "reason", match_end_reason_name((enum match_end_reason)match->reason));
    if (match->winner == MATCH_WINNER_NONE) {
        wire_member_null(out, "winner");
    } else {
        wire_member_int(out, "winner", match->winner);
    }
    wire_member_array(out, "scores");
    for (unsigned i = 0; i < match->player_count; i++) {
        wire_int(out, revealed > 0 ? match->rounds[revealed - 1].scores[i] : 0);
    }
    wire_close_array(out);
    write_ratings(out, match);
    wire_close_message(out);
}

void encode_match_entry(struct wire *out, const struct match *match, uint16_t seq)
{
    struct match_log_entry entry = match_log_at(match, seq);
    switch (entry.kind) {
    case MATCH_LOG_MATCH: encode_match(out, match, seq); return;
    case MATCH_LOG_ROUND: encode_round(out, match, seq, entry.round); return;
    case MATCH_LOG_REVEAL: encode_reveal(out, match, seq, entry.round); return;
    case MATCH_LOG_AWAY: encode_peer(out, match, seq, &entry, "away"); return;
    case MATCH_LOG_BACK: encode_peer(out, match, seq, &entry, "back"); return;
    case MATCH_LOG_GONE: encode_peer(out, match, seq, &entry, "gone"); return;
    case MATCH_LOG_END: encode_end(out, match, seq); return;
    }
    QR_UNREACHABLE("a log entry of an unknown kind");
}
