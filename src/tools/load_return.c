#include "load_return.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "load_player_priv.h"
#include "load_run.h"

enum {
    CLOSE_TAKEN_OVER = 4509,
    /* What a return owes comes within: the old link's close, the place in the queue. */
    OWED_WITHIN_US = 10000000,
    HELLO_FIELDS_BYTES = CHECK_TOKEN_BYTES + 128,
    /* Of 100 losses: how many are none for the server until the next connection takes over. */
    PERCENT_TAKEOVER = 15,
    /* Of 100 returns: how many ask for the match from its beginning. */
    PERCENT_ASK_ALL = 10,
    /* Of 100 losses in a match: how many wait for the next answer, to take its reply along. */
    PERCENT_AFTER_ANSWER = 20,
    TRY_AGAIN_MS = 100, /* At first, to a server that is gone; doubled up to TRIES_DOUBLED times. */
    TRIES_DOUBLED = 4,
};

void return_arm_loss(struct player *player, struct run *run)
{
    uint32_t mean_ms = run->options->drop_every_ms;
    if (mean_ms == 0 || player->is_idle) return;
    /* Exponential, so that a loss is equally likely at every moment; 2^-32 at the least. */
    double chance = ((double)(prng_next(&run->prng) >> 32) + 1.0) / 4294967296.0;
    double in_ms = -log(chance) * (double)mean_ms;
    mono_time at = {run->now_us / 1000 + 1 + (uint64_t)in_ms};
    wheel_arm(&run->wheel, &player->loss, at, 0);
}

void return_lose_now(struct player *player, struct run *run)
{
    bool stays = player->is_idle || player->kind != PLAYER_HONEST;
    if (stays || player->state == PLAYER_DONE) return;
    wheel_arm(&run->wheel, &player->loss, (mono_time){run->now_us / 1000}, 0);
}

/* --- The loss. --- */

/* A takeover needs a session to take over with, and one old link at a time. */
static bool may_take_over(const struct player *player)
{
    return player->state != PLAYER_CONNECTING && player->check.session[0] != '\0' &&
           player->link.state == LINK_OPEN && player->old.state == LINK_CLOSED;
}

static void note_doubts(struct player *player)
{
    for (uint32_t round = 1; round <= player->check.match.round; round++)
        if (player->check.match.own_answers[round].is_in_doubt) player->doubt_round = round;
}

static void lose_link(struct player *player, struct run *run)
{
    run->stats.drops++;
    player->drops_after_answer = false;
    check_lost(&player->check);
    note_doubts(player);
    wheel_disarm(&run->wheel, &player->timer);
    if (may_take_over(player) && player_percent(run, PERCENT_TAKEOVER)) {
        run->stats.takeovers++;
        player->old = player->link;
        player->link = (struct link){.fd = -1};
        player->old.is_mute = true;
        link_rename(&player->old, player->index | PLAYER_OLD_LINK);
        player_connect(player, run, run->now_us);
        return;
    }
    link_lose(&player->link, player_percent(run, 50) ? LINK_LOSS_RST : LINK_LOSS_FIN);
    player->state = PLAYER_AWAY;
    uint32_t span_ms = run->options->back_within_ms + 1;
    player_arm_in_us(player, run, UINT64_C(1000) * prng_below(&run->prng, span_ms));
}

void return_on_loss(struct player *player, struct run *run)
{
    if (run->is_over) return;
    switch ((enum player_state)player->state) {
    case PLAYER_CONNECTING:
    case PLAYER_IDLE:
    case PLAYER_QUEUED:
    case PLAYER_PLAYING:
        player->drops_after_answer =
            player->state == PLAYER_PLAYING && player_percent(run, PERCENT_AFTER_ANSWER);
        if (!player->drops_after_answer) lose_link(player, run);
        break;
    case PLAYER_OFF:
    case PLAYER_AWAY:
    case PLAYER_LEAVING:
    case PLAYER_CLOSING:
    case PLAYER_DONE: break;
    }
    return_arm_loss(player, run);
}

void return_after_answer(struct player *player, struct run *run)
{
    if (player->drops_after_answer && player->state == PLAYER_PLAYING) lose_link(player, run);
}

bool return_outlives(struct player *player, struct run *run, uint16_t close_code)
{
    if (!run->options->server_may_die || close_code != LINK_CODE_LOST) return false;
    if (player->state == PLAYER_CLOSING || player->state == PLAYER_LEAVING) return false;
    if (player->state == PLAYER_CONNECTING)
        run->stats.refused_tries++;
    else
        run->stats.deaths++;
    check_lost(&player->check);
    check_outlived(&player->check);
    note_doubts(player);
    wheel_disarm(&run->wheel, &player->timer);
    player->state = PLAYER_AWAY;
    unsigned doublings = player->tries < TRIES_DOUBLED ? player->tries++ : TRIES_DOUBLED;
    player_arm_in_us(player, run,
                     UINT64_C(1000) * (1 + prng_below(&run->prng, TRY_AGAIN_MS << doublings)));
    return true;
}

/* --- The return. --- */

static void say_resume(struct player *player, struct run *run, char fields[HELLO_FIELDS_BYTES])
{
    const struct check *check = &player->check;
    struct check_request request = {.kind = CHECK_HELLO, .proof = CHECK_BY_RESUME};
    int size = snprintf(fields, HELLO_FIELDS_BYTES, ",\"resume\":\"%s\"", check->session);
    bool wants_rest = check->match.text[0] != '\0' && !player_percent(run, PERCENT_ASK_ALL);
    if (wants_rest) {
        request.last_seq = check->match.seq;
        (void)snprintf(fields + size, HELLO_FIELDS_BYTES - (size_t)size,
                       ",\"last_match\":\"%s\",\"last_seq\":%u", check->match.text,
                       check->match.seq); /* It fits. */
    }
    player_ask(player, run, &request, fields);
}

void return_say_hello(struct player *player, struct run *run)
{
    const struct check *check = &player->check;
    char fields[HELLO_FIELDS_BYTES];
    if (check->session[0] != '\0') {
        say_resume(player, run, fields);
        return;
    }
    struct check_request request = {.kind = CHECK_HELLO, .proof = CHECK_BY_NAME};
    if (check->token[0] != '\0') {
        request.proof = CHECK_BY_TOKEN;
        run->stats.by_token++;
        (void)snprintf(fields, sizeof(fields), ",\"token\":\"%s\"", check->token); /* It fits. */
    } else {
        (void)snprintf(fields, sizeof(fields), ",\"name\":\"%s\"", check->name); /* It fits. */
    }
    player_ask(player, run, &request, fields);
}

static void note_losses(struct player *player, struct run *run, const struct news *news)
{
    if (news->lost_match) {
        run->stats.matches_lost++;
        run_tell(run, "{\"lost\":\"", player->check.match.text, strlen(player->check.match.text),
                 "\"}");
        /* Of one that has ended a server that died knows no more: who compares looks for its result. */
        if (!player->check.has_outlived)
            run_complain(run, player->index, "its match is unknown after the return",
                         player->check.match.text, strlen(player->check.match.text));
    }
    if (news->lost_place) run->stats.places_lost++;
}

void return_on_welcome(struct player *player, struct run *run, const struct news *news)
{
    player->whole_since_us = run->now_us;
    player->tries = 0;
    note_losses(player, run, news);
    if (news->request.proof == CHECK_BY_RESUME) run->stats.resumes++;
    wheel_disarm(&run->wheel, &player->timer);
    if (news->has_match) {
        run->stats.resumed_matches++;
        player->state = PLAYER_PLAYING;
    } else if (news->is_queued) {
        player->state = PLAYER_QUEUED;
    } else {
        player_join_or_close(player, run);
    }
}

void return_to_queue(struct player *player, struct run *run)
{
    wheel_disarm(&run->wheel, &player->timer);
    player->state = PLAYER_QUEUED;
}

void return_on_expired(struct player *player, struct run *run, const struct news *news)
{
    run->stats.resume_expired++;
    note_losses(player, run, news);
    return_say_hello(player, run);
}

void return_on_taken_back(struct player *player, struct run *run)
{
    run->stats.taken_back++;
    check_forget_match(&player->check);
    return_say_hello(player, run);
}

/* Sends again what was in doubt; thinks again where the loss came between the question and the
 * answer. */
void return_on_clock(struct player *player, struct run *run, const struct news *news)
{
    const struct check_match *match = &player->check.match;
    run->stats.clocks++;
    player->whole_since_us = run->now_us;
    if (player->state != PLAYER_PLAYING) return;
    for (uint32_t round = 1; round <= news->round; round++) {
        const struct check_answer *answer = &match->own_answers[round];
        bool is_lost = answer->is_in_doubt;
        /* What a reveal has told since is as good as a receipt; asking for it costs nothing. */
        bool is_told = round == player->doubt_round && answer->is_there;
        if (!is_lost && !is_told) continue;
        player_send_answer_again(player, run, round, (uint8_t)answer->choice);
        if (player->state != PLAYER_PLAYING) return;
    }
    player->doubt_round = 0;
    const struct check_answer *now = &match->own_answers[news->round];
    if (news->is_open && !now->is_there && !now->is_in_doubt && !wheel_is_armed(&player->timer))
        player_think(player, run, news->round, news->choice_count);
}

/* --- The link that was taken over. --- */

static void on_old_ended(struct player *player, struct run *run, const struct link_event *event)
{
    if (event->close_code == CLOSE_TAKEN_OVER) {
        run->stats.taken_over++;
        return;
    }
    char why[128];
    run->stats.violations++;
    (void)snprintf(why, sizeof(why), "the older connection ended with %u, not 4509: %s",
                   (unsigned)event->close_code,
                   event->problem != NULL ? event->problem : ""); /* A longer one is cut. */
    run_complain(run, player->index, why, NULL, 0);
}

void return_on_old_ready(struct player *player, struct run *run, uint32_t epoll_events)
{
    if (player->old.state == LINK_CLOSED) return;
    link_receive(&player->old, epoll_events, &run->inbox);
    struct link_event event;
    do {
        /* What still comes here comes on the newer link too. */
        link_next(&player->old, &run->inbox, &event);
        if (event.kind == LINK_EVENT_ENDED) on_old_ended(player, run, &event);
    } while (event.kind != LINK_EVENT_NONE && event.kind != LINK_EVENT_ENDED);
}

void return_look(struct player *player, struct run *run)
{
    bool is_welcome = player->state != PLAYER_CONNECTING && player->state != PLAYER_AWAY;
    if (!is_welcome || run->now_us <= player->whole_since_us + OWED_WITHIN_US) return;
    if (player->old.state != LINK_CLOSED) {
        run->stats.violations++;
        run_complain(run, player->index, "the older connection was not closed with 4509", NULL, 0);
        link_drop(&player->old);
    }
    if (player->check.back.expects_queued) {
        player->check.back.expects_queued = false;
        run->stats.violations++;
        run->stats.places_lost++;
        run_complain(run, player->index, "welcome, and no `queued` for who waited", NULL, 0);
        player->state = PLAYER_IDLE;
        player_join_or_close(player, run);
    }
}
