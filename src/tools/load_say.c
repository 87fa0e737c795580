#include <stdio.h>
#include <string.h>

#include "load_player_priv.h"
#include "load_run.h"

enum {
    FIELDS_BYTES = 128,
    REQUEST_TEXT_BYTES = 4096, /* protocol.md, Limits. */
    /* Of 100 rounds: how many answers something more follows. */
    PERCENT_AGAIN = 5,
    PERCENT_LONE_EMOTE = 50, /* Of the emotes: without an id. */
    PERCENT_PING = 4,
};

static void send_text(struct player *player, struct run *run, const char *text)
{
    if (!link_send_text(&player->link, text, strlen(text))) {
        player_lose(player, run, "the server does not read");
        return;
    }
    run->stats.sent++;
}

void player_ask(struct player *player, struct run *run, struct check_request *request,
                const char *fields)
{
    request->id = ++player->request_id;
    request->sent_us = run->now_us;
    if (request->due_us == 0) request->due_us = run->now_us;
    if (!check_sent(&player->check, request)) {
        run->stats.withheld++;
        return;
    }
    char text[REQUEST_TEXT_BYTES];
    int size = snprintf(text, sizeof(text), "{\"type\":\"%s\",\"id\":%u%s}",
                        check_request_name(request->kind), request->id, fields);
    QR_ASSERT(size > 0 && (size_t)size < sizeof(text));
    send_text(player, run, text);
}

void player_send_join(struct player *player, struct run *run, uint64_t due_us)
{
    bool is_house = player_percent(run, run->options->house_percent);
    struct check_request request = {.kind = CHECK_JOIN,
                                    .mode = is_house ? CHECK_HOUSE : CHECK_DUEL};
    char fields[FIELDS_BYTES];
    (void)snprintf(fields, sizeof(fields), ",\"mode\":\"%s\"",
                   check_mode_name((enum check_mode)request.mode)); /* It fits. */
    player->state = PLAYER_QUEUED;
    player->join_due_us = due_us;
    player->joined_us = run->now_us;
    player_ask(player, run, &request, fields);
}

void player_send_answer(struct player *player, struct run *run, struct check_request request)
{
    char fields[FIELDS_BYTES];
    (void)snprintf(fields, sizeof(fields), ",\"round\":%u,\"choice\":%u", (unsigned)request.round,
                   (unsigned)request.choice); /* It fits. */
    run->stats.answers++;
    request.kind = CHECK_ANSWER;
    player_ask(player, run, &request, fields);
}

void player_send_answer_again(struct player *player, struct run *run, uint32_t round,
                              uint8_t choice)
{
    if (player->check.has_joined_twins)
        twins_answer(&run->twins, &player->check.match.id, round, player->check.match.own,
                     run->now_us);
    player_send_answer(player, run,
                       (struct check_request){
                           .round = (uint8_t)round, .choice = (int8_t)choice, .is_again = true});
}

static void send_emote(struct player *player, struct run *run)
{
    const struct check *check = &player->check;
    if (check->emote_count == 0) return;
    char fields[FIELDS_BYTES];
    (void)snprintf(fields, sizeof(fields), ",\"code\":\"%s\"",
                   check->emotes[prng_below(&run->prng, check->emote_count)]); /* It fits. */
    if (!run->options->is_lenient && !player_percent(run, PERCENT_LONE_EMOTE)) {
        player_ask(player, run, &(struct check_request){.kind = CHECK_EMOTE}, fields);
        return;
    }
    char text[REQUEST_TEXT_BYTES];
    (void)snprintf(text, sizeof(text), "{\"type\":\"emote\"%s}", fields); /* It fits. */
    send_text(player, run, text);
}

void player_send_ping(struct player *player, struct run *run, uint64_t due_us)
{
    int64_t at =
        (int64_t)(prng_next(&run->prng) >> 12); /* Below 2^52: exact in every JSON reader. */
    char fields[FIELDS_BYTES];
    (void)snprintf(fields, sizeof(fields), ",\"at\":%lld", (long long)at); /* It fits. */
    run->stats.pings_sent++;
    player_ask(player, run,
               &(struct check_request){.kind = CHECK_PING, .ping_at = at, .due_us = due_us},
               fields);
}

/* A repetition, or a ping: what only a server that knows all of the protocol answers. */
static void ask_more(struct player *player, struct run *run)
{
    if (player_percent(run, PERCENT_AGAIN))
        player_send_answer(player, run,
                           (struct check_request){.round = (uint8_t)player->round,
                                                  .choice = (int8_t)player->choice});
    else if (player_percent(run, PERCENT_PING))
        player_send_ping(player, run, run->now_us);
}

void player_follow_up(struct player *player, struct run *run)
{
    if (!run->options->is_lenient) ask_more(player, run);
    if (player->state == PLAYER_PLAYING && player_percent(run, run->options->emotes_percent))
        send_emote(player, run);
}
