#include "match_priv.h"

/* An entry is kind | player << LOG_PLAYER_SHIFT. */
enum {
    LOG_PLAYER_SHIFT = 3,
    LOG_KIND_MASK = (1 << LOG_PLAYER_SHIFT) - 1,
    LOG_ENTRY_BITS = 4,
    LOG_ENTRY_MASK = (1 << LOG_ENTRY_BITS) - 1,
};

_Static_assert((int)MATCH_LOG_END <= (int)LOG_KIND_MASK, "a kind fits below the player");
_Static_assert(MATCH_PLAYERS_MAX <= 1 << (LOG_ENTRY_BITS - LOG_PLAYER_SHIFT),
               "a player fits above");

/* Why the log is long enough: `match` and `end` are told once; each round begins and is revealed at
 * most once, and match_begin_round() begins no more than there are; a player is AWAY at most
 * ABSENCES_MAX times (match_presence.c counts them in `absences`), BACK at most once for each, and
 * GONE once. */
_Static_assert(MATCH_LOG_MAX ==
                   2 + 2 * MATCH_ROUNDS_MAX + MATCH_PLAYERS_MAX * (ABSENCES_MAX + ABSENCES_MAX + 1),
               "an entry for all that can ever be told");

static unsigned shift_at(unsigned seq)
{
    return (seq - 1) % 2 * LOG_ENTRY_BITS;
}

static unsigned entry_at(const struct match *match, unsigned seq)
{
    return (unsigned)match->log[(seq - 1) / 2] >> shift_at(seq) & LOG_ENTRY_MASK;
}

/* What a step that was thrown away has logged there goes. */
static void set_entry(struct match *match, unsigned seq, unsigned entry)
{
    uint8_t *byte = &match->log[(seq - 1) / 2];
    unsigned others = *byte & ~((unsigned)LOG_ENTRY_MASK << shift_at(seq));
    *byte = (uint8_t)(others | entry << shift_at(seq));
}

void match_tell(struct match *match, enum match_log_kind kind, uint8_t player,
                struct effects *effects)
{
    if (match->seq >= MATCH_LOG_MAX) {
        match_fault(match, "the log is full");
        return;
    }
    match->seq++;
    set_entry(match, match->seq, (unsigned)kind | (unsigned)player << LOG_PLAYER_SHIFT);
    match_want(effects, EFFECT_ANNOUNCE)->seq = match->seq;
}

static enum match_log_kind kind_at(const struct match *match, unsigned seq)
{
    return (enum match_log_kind)(entry_at(match, seq) & LOG_KIND_MASK);
}

bool match_has_told_end(const struct match *match)
{
    if (match->seq < 1 || match->seq > MATCH_LOG_MAX) return false;
    return kind_at(match, match->seq) == MATCH_LOG_END;
}

struct match_log_entry match_log_at(const struct match *match, uint16_t seq)
{
    QR_ASSERT(seq >= 1 && seq <= match->seq && seq <= MATCH_LOG_MAX);
    struct match_log_entry entry = {
        .kind = kind_at(match, seq),
        .player = (uint8_t)(entry_at(match, seq) >> LOG_PLAYER_SHIFT),
    };
    if (entry.kind == MATCH_LOG_ROUND || entry.kind == MATCH_LOG_REVEAL) {
        /* Rounds begin in order, and a reveal is that of the round that began last. */
        for (unsigned i = 1; i <= seq; i++) {
            if (kind_at(match, i) == MATCH_LOG_ROUND) entry.round++;
        }
    }
    return entry;
}

unsigned match_revealed_rounds(const struct match *match, uint16_t seq)
{
    unsigned rounds = 0;
    for (unsigned i = 1; i <= seq && rounds < match->settings.rounds; i++) {
        if (kind_at(match, i) == MATCH_LOG_REVEAL) rounds++;
    }
    return rounds;
}

uint8_t match_round_right_place(const struct match_round *round)
{
    uint8_t place = 0;
    /* The bank's first choice is the right one (core/question.h). */
    while (place < round->choice_count && round->places[place] != 0) place++;
    return place;
}

uint8_t match_right_place(const struct match *match, uint8_t round)
{
    QR_ASSERT(round >= 1 && round <= match->settings.rounds);
    return match_round_right_place(&match->rounds[round - 1]);
}

wall_time match_wall(const struct match *match, mono_time at)
{
    int64_t offset_ms = match->wall_offset_ms;
    for (unsigned i = 0; i < match->recovery_count; i++) {
        if (mono_is_before(at, match->recoveries[i].at)) break;
        offset_ms = match->recoveries[i].wall_offset_ms;
    }
    return (wall_time){(int64_t)at.ms + offset_ms};
}

mono_time match_began_at(const struct match *match, const struct match_round *round)
{
    return mono_after(match->created_at, round->began_ms);
}

mono_time match_revealed_at(const struct match *match, const struct match_round *round)
{
    return mono_after(match->created_at, round->revealed_ms);
}

mono_time match_answered_at(const struct match *match, const struct match_round *round,
                            unsigned player)
{
    return mono_after(match_began_at(match, round), round->answers[player].raw_ms);
}

uint32_t match_answer_time(const struct match_round *round, unsigned player)
{
    return score_answer_time(round->answers[player].raw_ms, round->credits_ms[player]);
}

static uint32_t left_ms(mono_time since, uint32_t length_ms, mono_time now)
{
    return (uint32_t)mono_elapsed(now, mono_after(since, length_ms));
}

uint32_t match_left_ms(const struct match *match, mono_time now)
{
    const struct match_settings *settings = &match->settings;
    const struct match_round *round = &match->rounds[match->round > 0 ? match->round - 1 : 0];
    switch ((enum match_state)match->state) {
    case MATCH_STARTING: return left_ms(match->created_at, settings->start_ms, now);
    case MATCH_ASKING: return left_ms(match_began_at(match, round), settings->round_time_ms, now);
    case MATCH_REVEALING:
        return left_ms(match_revealed_at(match, round), settings->reveal_time_ms, now);
    case MATCH_SETTLING:
    case MATCH_ENDED: break;
    }
    return 0;
}
