#include "load_player.h"

#include <stdio.h>
#include <string.h>

#include "load_player_priv.h"
#include "load_return.h"
#include "load_rough.h"
#include "load_run.h"

enum {
    CLOSE_NORMAL = 1000,
    REPLY_TIMEOUT_US = 10000000,
    CLOSE_TIMEOUT_US = 5000000,
    /* protocol.md, Limits: at most 1 `join` a second; the rest is for a way that is shorter the
       second time. */
    JOIN_APART_US = 1050000,
    JOIN_RETRY_MS = 1000,
    PERCENT_SILENT = 3, /* Of 100 rounds: how many pass without an answer. */
};

bool player_percent(struct run *run, unsigned share)
{
    return prng_below(&run->prng, 100) < share;
}

void player_arm_in_us(struct player *player, struct run *run, uint64_t in_us)
{
    /* Rounded up: never earlier than meant. */
    mono_time at = {(run->now_us + in_us + 999) / 1000};
    player->due_us = UINT64_C(1000) * at.ms;
    wheel_arm(&run->wheel, &player->timer, at, 0);
}

static void finish(struct player *player, struct run *run)
{
    wheel_disarm(&run->wheel, &player->timer);
    check_ended(&player->check);
    wheel_disarm(&run->wheel, &player->loss);
    link_drop(&player->link);
    player->state = PLAYER_DONE;
}

/* Whatever was owed is not waited for. */
static void fail(struct player *player, struct run *run)
{
    finish(player, run);
    link_drop(&player->old);
}

void player_lose(struct player *player, struct run *run, const char *why)
{
    run->stats.lost++;
    run_complain(run, player->index, why, NULL, 0);
    fail(player, run);
}

/* --- What it does next. --- */

static void begin_close(struct player *player, struct run *run)
{
    link_close(&player->link, CLOSE_NORMAL);
    player->state = PLAYER_CLOSING;
    player_arm_in_us(player, run, CLOSE_TIMEOUT_US);
}

static bool has_enough(const struct player *player, const struct run *run)
{
    return run->is_over || (run->options->matches > 0 && player->matches >= run->options->matches);
}

/* `due_us`: when the player was to come to it. */
static void join_or_close(struct player *player, struct run *run, uint64_t due_us)
{
    player->state = PLAYER_IDLE;
    if (has_enough(player, run)) {
        begin_close(player, run);
        return;
    }
    if (player->is_idle) return;
    uint64_t next_us = player->joined_us + JOIN_APART_US;
    if (player->joined_us == 0 || next_us <= run->now_us)
        player_send_join(player, run, due_us);
    else
        player_arm_in_us(player, run, next_us - run->now_us);
}

void player_join_or_close(struct player *player, struct run *run)
{
    join_or_close(player, run, run->now_us);
}

void player_think(struct player *player, struct run *run, uint32_t round, uint32_t choice_count)
{
    player->round = round;
    player->choice = (uint8_t)prng_below(&run->prng, choice_count);
    if (!run->options->is_lenient && player_percent(run, PERCENT_SILENT)) return;
    uint32_t least_ms = run->options->think_min_ms;
    uint32_t span_ms = run->options->think_max_ms - least_ms + 1;
    player_arm_in_us(player, run, UINT64_C(1000) * (least_ms + prng_below(&run->prng, span_ms)));
}

static void on_refused(struct player *player, struct run *run, const struct news *news)
{
    codes_count(run->stats.refusals, news->code);
    if (!news->is_reply) return;
    bool is_expired = strcmp(news->code, "resume_expired") == 0;
    if (news->request.kind == CHECK_HELLO && is_expired)
        return_on_expired(player, run, news);
    else if (news->request.kind == CHECK_HELLO && strcmp(news->code, "bad_message") == 0 &&
             run->options->server_may_die)
        return_on_taken_back(player, run);
    else if (news->request.kind == CHECK_HELLO)
        player_lose(player, run, "hello was refused");
    if (news->request.kind != CHECK_JOIN) return;
    /* The join whose reply was lost had come: who waits hears so, who plays does already. */
    if (strcmp(news->code, "bad_state") == 0) return;
    player->state = PLAYER_IDLE;
    uint32_t retry_ms = news->retry_ms > 0 ? news->retry_ms : JOIN_RETRY_MS;
    player_arm_in_us(player, run, UINT64_C(1000) * retry_ms);
}

static void on_end(struct player *player, struct run *run, const struct news *news)
{
    wheel_disarm(&run->wheel, &player->timer);
    player->doubt_round = 0;
    run->stats.ends[news->end_reason]++;
    if (news->end_reason == CHECK_END_CANCELLED && news->round > 0) run->stats.cancelled_in_play++;
    if (news->end_reason == CHECK_END_FINISHED) player->matches++;
    /* Cancelled before its first round: the server queues again the one who did not leave. */
    bool is_queued_again = news->end_reason == CHECK_END_CANCELLED && news->round == 0 &&
                           player->state != PLAYER_LEAVING;
    if (is_queued_again) {
        player->state = PLAYER_QUEUED;
        player->join_due_us = run->now_us;
    } else if (player->state != PLAYER_CLOSING) {
        player_join_or_close(player, run);
    }
}

static void on_accepted(struct player *player, struct run *run, const struct news *news)
{
    run->stats.accepted++;
    stats_measure(&run->stats, LATENCY_ACCEPTED, news->request.due_us, run->now_us);
    if (news->request.is_again) run->stats.receipts_again++;
    if (news->is_dup)
        run->stats.dups++;
    else if (news->request.round == player->round)
        player_follow_up(player, run);
}

/* What comes again after a return is as late as the player was away. */
static void measure_round(struct player *player, struct run *run, const struct news *news)
{
    uint64_t other_us;
    if (news->is_replayed || !player->check.has_joined_twins) return;
    if (twins_round(&run->twins, &player->check.match.id, news->round, run->now_us, &other_us))
        stats_measure(&run->stats, LATENCY_SPREAD, other_us, run->now_us);
}

static void measure_reveal(struct player *player, struct run *run, const struct news *news)
{
    const struct check_match *match = &player->check.match;
    uint64_t last_us;
    if (!player->check.has_joined_twins || match->round_came_us < player->whole_since_us) return;
    if (news->any_silent)
        stats_measure(&run->stats, LATENCY_TIME_OVER,
                      match->round_came_us + UINT64_C(1000) * match->time_ms, run->now_us);
    else if (news->all_answered &&
             twins_last_answer(&run->twins, &match->id, match->round, &last_us))
        stats_measure(&run->stats, LATENCY_REVEAL, last_us, run->now_us);
}

static void on_news(struct player *player, struct run *run, const struct news *news)
{
    switch ((enum news_kind)news->kind) {
    case NEWS_WELCOME:
        stats_measure(&run->stats, LATENCY_WELCOME, news->request.due_us, run->now_us);
        return_on_welcome(player, run, news);
        break;
    case NEWS_CLOCK: return_on_clock(player, run, news); break;
    case NEWS_UNQUEUED:
        if (player->state == PLAYER_QUEUED) player_join_or_close(player, run);
        break;
    case NEWS_QUEUED:
        if (player->state == PLAYER_IDLE) return_to_queue(player, run);
        break;
    case NEWS_MATCH:
        /* Who plays already gets it again, or late. */
        if (player->state == PLAYER_IDLE) return_to_queue(player, run);
        if (player->state != PLAYER_QUEUED) break;
        stats_measure(&run->stats, LATENCY_MATCH, player->join_due_us, run->now_us);
        player->state = PLAYER_PLAYING;
        break;
    case NEWS_ROUND:
        measure_round(player, run, news);
        if (player->state == PLAYER_PLAYING)
            player_think(player, run, news->round, news->choice_count);
        break;
    case NEWS_ACCEPTED: on_accepted(player, run, news); break;
    case NEWS_REVEAL:
        measure_reveal(player, run, news);
        if (player->state == PLAYER_PLAYING) wheel_disarm(&run->wheel, &player->timer);
        if (player_percent(run, run->options->drop_reveal_percent)) return_lose_now(player, run);
        break;
    case NEWS_END: on_end(player, run, news); break;
    case NEWS_LEFT:
        /* Where it crossed with `match`, that match's `end` is still to come. */
        if (player->check.phase != CHECK_PLAYING) player_join_or_close(player, run);
        break;
    case NEWS_PONG:
        stats_measure(&run->stats, LATENCY_PONG, news->request.due_us, run->now_us);
        break;
    case NEWS_GAP:
        run->stats.gaps++;
        run->stats.dropped += news->dropped;
        break;
    case NEWS_REFUSED: on_refused(player, run, news); break;
    case NEWS_OTHER:
    case NEWS_BYE: break;
    }
}

/* --- In. --- */

static void on_text(struct player *player, struct run *run, const struct link_event *event)
{
    struct news news;
    struct verdict verdict;
    run->stats.received++;
    run->stats.received_bytes += event->text_bytes;
    check_message(&player->check, event->text, event->text_bytes, run->now_us, &news, &verdict);
    run->stats.seq_gaps += verdict.has_seq_gap;
    run->stats.replayed += news.is_replayed;
    if (run->options->is_lenient) {
        run->stats.deviations += verdict.violations;
    } else if (verdict.violations > 0) {
        run->stats.violations += verdict.violations;
        run_complain(run, player->index, verdict.first, event->text, event->text_bytes);
    }
    if (news.kind == NEWS_END) run_tell(run, "", event->text, event->text_bytes, "");
    on_news(player, run, &news);
}

/* An echo: what comes answers the oldest ping. */
static void on_echo(struct player *player, struct run *run, const struct link_event *event)
{
    struct check_request request;
    run->stats.received++;
    run->stats.received_bytes += event->text_bytes;
    if (check_take_oldest(&player->check, &request))
        stats_measure(&run->stats, LATENCY_PONG, request.due_us, run->now_us);
    else
        run->stats.deviations++;
}

static void on_opened(struct player *player, struct run *run)
{
    run->stats.opened++;
    stats_measure(&run->stats, LATENCY_CONNECT, player->connect_due_us, run->now_us);
    if (!run->options->is_echo) {
        return_say_hello(player, run);
        return;
    }
    wheel_disarm(&run->wheel, &player->timer);
    player_join_or_close(player, run);
}

static void on_link_ended(struct player *player, struct run *run, const struct link_event *event)
{
    bool is_in_order = event->problem == NULL && event->close_code == CLOSE_NORMAL;
    if (player->state == PLAYER_CLOSING && (is_in_order || run->options->is_lenient)) {
        run->stats.closed++;
        finish(player, run);
        return;
    }
    if (return_outlives(player, run, event->close_code)) return;
    char why[128];
    (void)snprintf(why, sizeof(why), "the connection ended with %u%s%s",
                   (unsigned)event->close_code, event->problem != NULL ? ": " : "",
                   event->problem != NULL ? event->problem : ""); /* A longer one is cut. */
    player_lose(player, run, why);
}

void player_on_ready(struct player *player, struct run *run, uint32_t epoll_events)
{
    if (player->kind != PLAYER_HONEST) {
        rough_on_ready(player, run, epoll_events);
        return;
    }
    if (player->link.state == LINK_CLOSED) return;
    link_receive(&player->link, epoll_events, &run->inbox);
    struct link_event event;
    do {
        link_next(&player->link, &run->inbox, &event);
        switch (event.kind) {
        case LINK_EVENT_NONE: break;
        case LINK_EVENT_OPENED: on_opened(player, run); break;
        case LINK_EVENT_PING: run->stats.pings++; break;
        case LINK_EVENT_TEXT:
            if (run->options->is_echo)
                on_echo(player, run, &event);
            else
                on_text(player, run, &event);
            break;
        case LINK_EVENT_ENDED: on_link_ended(player, run, &event); break;
        }
    } while (event.kind != LINK_EVENT_NONE && player->state != PLAYER_DONE);
}

static void on_time_to_answer(struct player *player, struct run *run)
{
    if (player->check.has_joined_twins)
        twins_answer(&run->twins, &player->check.match.id, player->round, player->check.match.own,
                     player->due_us);
    player_send_answer(player, run,
                       (struct check_request){.round = (uint8_t)player->round,
                                              .choice = (int8_t)player->choice,
                                              .due_us = player->due_us});
    return_after_answer(player, run);
}

void player_on_timer(struct player *player, struct run *run, enum player_timer timer)
{
    if (timer == PLAYER_TIMER_LOSS) {
        return_on_loss(player, run);
        return;
    }
    if (player->kind != PLAYER_HONEST) {
        rough_on_timer(player, run);
        return;
    }
    stats_measure(&run->stats, LATENCY_LAG, player->due_us, run->now_us);
    switch ((enum player_state)player->state) {
    case PLAYER_CONNECTING:
        /* A server that dies may leave a connection that nobody has taken. */
        link_drop(&player->link);
        if (!return_outlives(player, run, LINK_CODE_LOST)) {
            player_lose(player, run, "no welcome in time");
        }
        break;
    case PLAYER_IDLE: join_or_close(player, run, player->due_us); break;
    case PLAYER_PLAYING: on_time_to_answer(player, run); break;
    case PLAYER_AWAY: player_connect(player, run, player->due_us); break;
    case PLAYER_CLOSING:
        if (run->options->is_lenient)
            finish(player, run);
        else
            player_lose(player, run, "no answer to the close frame");
        break;
    case PLAYER_OFF:
    case PLAYER_QUEUED:
    case PLAYER_LEAVING:
    case PLAYER_DONE: break;
    }
}

void player_connect(struct player *player, struct run *run, uint64_t due_us)
{
    player->state = PLAYER_CONNECTING;
    player->connect_due_us = due_us;
    player_arm_in_us(player, run, PLAYER_CONNECT_TIMEOUT_US);
    int result = link_open(&player->link, &run->target, run->epoll, player->index, &run->prng);
    if (result != 0) player_lose(player, run, strerror(-result));
}

void player_start(struct player *player, struct run *run, uint32_t index, uint64_t due_us)
{
    stats_measure(&run->stats, LATENCY_LAG, due_us, run->now_us);
    const struct options *options = run->options;
    bool is_idle = index >= options->players;
    *player = (struct player){.index = index, .is_idle = is_idle};
    if (!is_idle)
        player->kind =
            (uint8_t)rough_kind_of(index, options->slow_percent, options->garbage_percent);
    char name[CHECK_NAME_BYTES + 1];
    (void)snprintf(name, sizeof(name), "Load %u", index); /* It fits. */
    check_init(&player->check, name, options->is_lenient ? CHECK_LENIENT : CHECK_STRICT,
               &run->twins);
    wheel_timer_init(&player->timer, (struct handle){index, 1}, PLAYER_TIMER_ACT);
    wheel_timer_init(&player->loss, (struct handle){index, 1}, PLAYER_TIMER_LOSS);
    if (player->kind != PLAYER_HONEST) {
        rough_start(player, run, due_us);
        return;
    }
    return_arm_loss(player, run);
    player_connect(player, run, due_us);
}

void player_look(struct player *player, struct run *run)
{
    if (player->kind != PLAYER_HONEST) {
        rough_look(player, run);
        return;
    }
    const struct check_request *oldest = check_oldest(&player->check);
    bool waits_too_long = player->state != PLAYER_DONE && oldest != NULL &&
                          run->now_us > oldest->sent_us + REPLY_TIMEOUT_US;
    if (waits_too_long) {
        run->stats.unanswered++;
        run_complain(run, player->index, "no reply in time", check_request_name(oldest->kind),
                     strlen(check_request_name(oldest->kind)));
        fail(player, run);
        return;
    }
    return_look(player, run);
    if (!run->is_over) return;
    if (player->state == PLAYER_IDLE) begin_close(player, run);
    /* Not every server knows `leave`. */
    if (player->state == PLAYER_QUEUED && run->options->is_lenient) begin_close(player, run);
    /* A join that was not answered yet is waited for first. */
    if (player->state == PLAYER_QUEUED && player->check.phase == CHECK_QUEUED) {
        player->state = PLAYER_LEAVING;
        player_ask(player, run, &(struct check_request){.kind = CHECK_LEAVE}, "");
    }
}

void player_ping(struct player *player, struct run *run, uint64_t due_us)
{
    if (player->state != PLAYER_IDLE) return;
    stats_measure(&run->stats, LATENCY_LAG, due_us, run->now_us);
    player_send_ping(player, run, due_us);
}

bool player_is_done(const struct player *player)
{
    return player->state == PLAYER_DONE && player->old.state == LINK_CLOSED;
}

void player_give_up(struct player *player, struct run *run)
{
    if (player->state == PLAYER_OFF || player->state == PLAYER_DONE) return;
    run->stats.unfinished++;
    run_complain(run, player->index, "not finished when the grace was over", NULL, 0);
    fail(player, run);
}
