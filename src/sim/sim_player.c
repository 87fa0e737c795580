/* What a player hears, and what that makes of it. */

#include "sim_player.h"

#include <stdlib.h>
#include <string.h>

#include "sim_dice.h"
#include "sim_run.h"

static const mono_time NEVER = {UINT64_MAX};

enum { FLAPS_ENOUGH = ABSENCES_MAX + 6, PENALTY_RETRY_MS = 1500, TYPE_AT = 9 };

struct prng player_dice(struct sim_run *run, unsigned client)
{
    return dice(run->recipe.seed, DICE_PLAYER, client, run->players[client].draws++);
}

void player_act_within(struct sim_run *run, unsigned client, struct prng *prng, uint32_t within_ms)
{
    run->players[client].act_at = mono_after(run->world->now, 1 + prng_below(prng, within_ms));
}

void player_pause(struct sim_run *run, unsigned client, struct prng *prng)
{
    player_act_within(run, client, prng, 2 * run->recipe.pause_ms);
}

mono_time player_next(const struct sim_player *player)
{
    return mono_is_before(player->answer_at, player->act_at) ? player->answer_at : player->act_at;
}

void player_init(struct sim_run *run, unsigned client)
{
    struct sim_player *player = &run->players[client];
    *player = (struct sim_player){.answer_at = NEVER};
    struct prng prng = player_dice(run, client);
    player_act_within(run, client, &prng, run->recipe.away_ms);
}

/* --- What was said. --- */

static uint32_t number_at(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at == NULL ? 0 : (uint32_t)strtoul(at + strlen(key), NULL, 10);
}

static bool has_words(const char *text, const char *words)
{
    return strstr(text, words) != NULL;
}

static char take_asked(struct sim_player *player, const char *text)
{
    uint32_t id = number_at(text, ",\"id\":");
    if (id == 0) return 0;
    for (unsigned i = 0; i < ASKED_KEPT; i++) {
        if (player->asked[i].id != id || player->asked[i].type == 0) continue;
        char type = player->asked[i].type;
        player->asked[i].type = 0;
        if (type == 'a' && player->outstanding > 0) player->outstanding--;
        return type;
    }
    return 0;
}

static void act_soon(struct sim_run *run, unsigned client)
{
    struct prng prng = player_dice(run, client);
    player_act_within(run, client, &prng, 1 + run->recipe.away_ms / 4);
}

static void count_resume(struct sim_run *run, unsigned client, const char *text)
{
    static const enum sim_counter of_claim[] = {
        [SEQ_CLAIM_NONE] = COUNTER_SEQ_NONE,
        [SEQ_CLAIM_OLD] = COUNTER_SEQ_OLD,
        [SEQ_CLAIM_LAST] = COUNTER_SEQ_LAST,
        [SEQ_CLAIM_AHEAD] = COUNTER_SEQ_AHEAD,
    };
    struct sim_player *player = &run->players[client];
    struct id match;
    const char *at = strstr(text, ",\"match\":\"");
    if (player->is_showing_token) run_count(run, COUNTER_RESUME_TOKEN);
    if (player->is_showing_before) run_count(run, COUNTER_RESUME_BEFORE);
    if (at == NULL || !id_parse(at + strlen(",\"match\":\""), ID_TEXT_BYTES, &match)) return;
    census_on_welcome(run, &match);
    if (player->is_resuming) run_count(run, of_claim[player->seq_claim]);
}

static void on_welcome(struct sim_run *run, unsigned client, const char *text)
{
    struct sim_player *player = &run->players[client];
    bool was_known = player->is_resuming || player->is_showing_token;
    if (was_known) count_resume(run, client, text);
    player->is_back = was_known;
    player->state = has_words(text, ",\"match\":\"") ? PLAYER_PLAYING : PLAYER_IDLE;
    struct prng prng = player_dice(run, client);
    player_act_within(run, client, &prng, player->flaps > 0 ? 2 : 1 + run->recipe.away_ms / 4);
}

static void on_queued(struct sim_run *run, unsigned client, char asked)
{
    struct sim_player *player = &run->players[client];
    if (asked == 0) run_count(run, player->is_back ? COUNTER_RESUME_QUEUED : COUNTER_REQUEUED);
    player->state = PLAYER_WAITING;
    struct prng prng = player_dice(run, client);
    player_pause(run, client, &prng);
}

static void on_unqueued(struct sim_run *run, unsigned client, const char *text)
{
    if (has_words(text, "\"timeout\"")) run_count(run, COUNTER_REMATCH_TIMEOUT);
    if (has_words(text, "\"opponent_left\"")) run_count(run, COUNTER_REMATCH_LEFT);
    run->players[client].state = PLAYER_IDLE;
    run->players[client].is_rematching = false;
    act_soon(run, client);
}

static void on_match(struct sim_run *run, unsigned client)
{
    struct sim_player *player = &run->players[client];
    const uint16_t *rates = run->recipe.rates;
    struct prng prng = player_dice(run, client);
    if (player->is_rematching && player->state == PLAYER_WAITING) run_count(run, COUNTER_REMATCH);
    player->is_rematching = false;
    player->state = PLAYER_PLAYING;
    player->round = player->revealed = 0;
    player->is_leaving = false;
    player_pause(run, client, &prng);
    /* Who has left two matches before they began will leave the third. */
    if (prng_below(&prng, 1000) < rates[HABIT_DODGE]) player->is_dodging = !player->is_dodging;
    if (player->is_dodging) player_act_within(run, client, &prng, run->recipe.shard.match.start_ms);
    if (player->flaps > 0 || prng_below(&prng, 1000) >= rates[HABIT_FLAP]) return;
    player->flaps = one_in(&prng, 2) ? FLAPS_ENOUGH : (uint8_t)between(&prng, 2, 8);
    player_act_within(run, client, &prng, 2);
}

static void on_round(struct sim_run *run, unsigned client, const char *text)
{
    struct sim_player *player = &run->players[client];
    player->round = (uint8_t)number_at(text, ",\"round\":");
    player->rounds = (uint8_t)number_at(text, ",\"rounds\":");
    player->time_ms = number_at(text, ",\"time_ms\":");
    player->round_at = run->world->now;
    player_plan_answer(run, client);
}

static void on_end(struct sim_run *run, unsigned client)
{
    struct sim_player *player = &run->players[client];
    const struct client *at = &run->world->clients[client];
    memcpy(player->other_match, at->last_match, sizeof(player->other_match));
    player->knows_other_match = true;
    player->state = PLAYER_IDLE;
    player->answer_at = NEVER;
    player->flaps = 0;
    act_soon(run, client);
}

static void on_accepted(struct sim_run *run, const char *text)
{
    uint32_t time_ms = run->recipe.shard.match.round_time_ms;
    uint32_t at_ms = number_at(text, "\"at_ms\":"), rtt_ms = number_at(text, "\"rtt_ms\":");
    if (has_words(text, "\"dup\":true")) run_count(run, COUNTER_DUP_RECEIPT);
    if (at_ms == time_ms) run_count(run, COUNTER_AT_DEADLINE);
    if (at_ms + rtt_ms > time_ms) run_count(run, COUNTER_CREDIT_USED);
}

/* --- What was refused. --- */

static void on_hello_refused(struct sim_run *run, unsigned client, enum refusal refusal)
{
    struct sim_player *player = &run->players[client];
    struct client *at = &run->world->clients[client];
    if (refusal == REFUSAL_RESUME_EXPIRED) {
        run_count(run, COUNTER_RESUME_EXPIRED);
        at->session_text[0] = '\0';
    }
    if (refusal == REFUSAL_BAD_MESSAGE) {
        if (player->seq_claim == SEQ_CLAIM_AHEAD) run_count(run, COUNTER_SEQ_AHEAD);
        if (player->is_foreign) {
            run_count(run, COUNTER_FOREIGN);
            at->session_text[0] = '\0';
        }
        at->last_seq = 0;
    }
    if (player->state == PLAYER_GREETING) player->state = PLAYER_NEW;
    act_soon(run, client);
}

static void on_join_refused(struct sim_run *run, unsigned client, enum refusal refusal,
                            uint32_t retry_ms)
{
    struct sim_player *player = &run->players[client];
    if (refusal == REFUSAL_RATE_LIMITED && retry_ms > PENALTY_RETRY_MS)
        run_count(run, COUNTER_DODGE_PENALTY);
    if (refusal == REFUSAL_RATE_LIMITED) player->is_dodging = false;
    if (player->state == PLAYER_JOINING) player->state = PLAYER_IDLE;
    player->is_rematching = false;
    /* Who has to wait for a minute would play no more. */
    struct prng prng = player_dice(run, client);
    player_act_within(run, client, &prng,
                      retry_ms > run->recipe.pause_ms ? retry_ms : run->recipe.pause_ms);
}

static void on_answer_refused(struct sim_run *run, unsigned client, enum refusal refusal)
{
    /* The one that was answered now is not counted any more. */
    bool had_two = run->players[client].outstanding >= 2;
    switch (refusal) {
    case REFUSAL_BUSY: run_count(run, had_two ? COUNTER_BUSY_BOUND : COUNTER_BUSY_MAILBOX); break;
    case REFUSAL_LATE_ANSWER: run_count(run, COUNTER_LATE_ANSWER); break;
    case REFUSAL_WRONG_ROUND: run_count(run, COUNTER_WRONG_ROUND); break;
    case REFUSAL_BAD_CHOICE: run_count(run, COUNTER_BAD_CHOICE); break;
    case REFUSAL_NONE:
    case REFUSAL_BAD_JSON:
    case REFUSAL_BAD_MESSAGE:
    case REFUSAL_UNKNOWN_TYPE:
    case REFUSAL_NOT_AUTHENTICATED:
    case REFUSAL_AUTH_FAILED:
    case REFUSAL_RESUME_EXPIRED:
    case REFUSAL_BAD_NAME:
    case REFUSAL_BAD_STATE:
    case REFUSAL_RATE_LIMITED:
    case REFUSAL_UNAVAILABLE:
    case REFUSAL_COUNT: break;
    }
}

static enum refusal refusal_in(const char *text)
{
    const char *at = strstr(text, "\"code\":\"");
    if (at == NULL) return REFUSAL_NONE;
    at += strlen("\"code\":\"");
    for (unsigned i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++) {
        const char *code = refusal_code((enum refusal)i);
        if (strncmp(at, code, strlen(code)) == 0) return (enum refusal)i;
    }
    return REFUSAL_NONE;
}

static void on_error(struct sim_run *run, unsigned client, const char *text, char asked)
{
    enum refusal refusal = refusal_in(text);
    if (refusal == REFUSAL_RATE_LIMITED) run_count(run, COUNTER_RATE_LIMITED);
    if (has_words(text, "not the player's match")) run_count(run, COUNTER_OTHER_MATCH);
    if (number_at(text, ",\"id\":") == 0) run_count(run, COUNTER_UNREADABLE);
    if (asked == 'h') on_hello_refused(run, client, refusal);
    if (asked == 'j') on_join_refused(run, client, refusal, number_at(text, "\"retry_ms\":"));
    if (asked == 'a') on_answer_refused(run, client, refusal);
}

/* --- Entries. --- */

static bool is_of(const char *text, const char *type)
{
    size_t length = strlen(type);
    return strncmp(text + TYPE_AT, type, length) == 0 && text[TYPE_AT + length] == '"';
}

void player_on_told(struct sim_run *run, unsigned client, const char *text)
{
    struct sim_player *player = &run->players[client];
    char asked = take_asked(player, text);
    if (is_of(text, "welcome")) {
        on_welcome(run, client, text);
        return;
    }
    if (is_of(text, "queued")) on_queued(run, client, asked);
    if (is_of(text, "unqueued")) on_unqueued(run, client, text);
    if (is_of(text, "match")) on_match(run, client);
    if (is_of(text, "round")) on_round(run, client, text);
    if (is_of(text, "reveal")) player->revealed = (uint8_t)number_at(text, ",\"round\":");
    if (is_of(text, "end")) on_end(run, client);
    if (is_of(text, "accepted")) on_accepted(run, text);
    if (is_of(text, "saving")) run_count(run, COUNTER_SAVING);
    if (is_of(text, "gap")) run_count(run, COUNTER_GAP);
    if (is_of(text, "error")) on_error(run, client, text, asked);
    if (is_of(text, "left") && player->state == PLAYER_WAITING) player->state = PLAYER_IDLE;
    player->is_back = false;
}

void player_on_closed(struct sim_run *run, unsigned client, unsigned code)
{
    const struct client *at = &run->world->clients[client];
    if (code == CLOSE_SLOW) run_count(run, COUNTER_SLOW_READER);
    if (code == CLOSE_NO_HELLO) run_count(run, COUNTER_NO_HELLO);
    if (code == CLOSE_ABUSE) {
        bool is_litter = mono_is_before(run->world->now, run->players[client].littering_until);
        run_count(run, is_litter ? COUNTER_LITTER_CLOSED : COUNTER_FLOOD_CLOSED);
    }
    if (code != CLOSE_TAKEN_OVER) return;
    run_count(run, COUNTER_TAKEN_OVER);
    for (unsigned i = 0; i < run->recipe.players; i++) {
        const struct client *other = &run->world->clients[i];
        bool is_newer = i != client && other->is_connected && id_equal(&other->player, &at->player);
        if (!is_newer || other->shard == at->shard) continue;
        run_count(run, COUNTER_TAKEN_ACROSS);
        return;
    }
}

void player_on_gone(struct sim_run *run, unsigned client)
{
    struct sim_player *player = &run->players[client];
    struct prng prng = player_dice(run, client);
    bool is_long = prng_below(&prng, 1000) < run->recipe.rates[HABIT_LONG_AWAY];
    player->state = PLAYER_OFFLINE;
    player->is_fickle = player->is_back = player->is_rematching = false;
    player->answer_at = NEVER;
    player->outstanding = 0;
    player->flooding_until = player->littering_until = (mono_time){0};
    memset(player->asked, 0, sizeof(player->asked));
    uint32_t within_ms =
        is_long ? 2 * run->recipe.shard.match.grace_ms + 1000 : run->recipe.away_ms;
    player_act_within(run, client, &prng, player->flaps > 0 ? 2 : within_ms);
}
