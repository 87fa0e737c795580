#include "load_rough.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include <cjson/cJSON.h>

#include "load_json.h"
#include "load_player_priv.h"
#include "load_run.h"

enum {
    MESSAGE_BYTES = 4096, /* protocol.md, Limits: the longest that is read. */
    /* Of a turn of the run's loop: the server's buffer may take more than this program's time. */
    MESSAGES_MAX = 8,
    KINDS_OF_GARBAGE = 3,
    SECOND_US = 1000000,
    /* What a slow player asks each second: below the 20 messages that are allowed. */
    PINGS = 18,
    TEXT_BYTES = 256,
};

/* A permutation of a hundred, so that a few in a row are of all kinds already. */
enum player_kind rough_kind_of(uint32_t index, uint32_t slow_percent, uint32_t garbage_percent)
{
    enum { HUNDRED = 100, COPRIME = 37 };
    uint32_t place = index % HUNDRED * COPRIME % HUNDRED;
    if (place < slow_percent) return PLAYER_SLOW;
    return place < slow_percent + garbage_percent ? PLAYER_GARBAGE : PLAYER_HONEST;
}

static void connect_rough(struct player *player, struct run *run, uint64_t due_us)
{
    struct link_target target = run->target;
    target.has_small_buffer = player->kind == PLAYER_SLOW;
    player->state = PLAYER_CONNECTING;
    player->connect_due_us = due_us;
    player_arm_in_us(player, run, PLAYER_CONNECT_TIMEOUT_US);
    if (link_open(&player->link, &target, run->epoll, player->index, &run->prng) == 0) return;
    player->state = PLAYER_AWAY; /* The timer tries again. */
}

static void come_back(struct player *player, struct run *run, const char *code)
{
    codes_count(run->stats.rough_closes, code);
    link_drop(&player->link);
    player->state = PLAYER_AWAY;
    uint32_t span_ms = run->options->back_within_ms + 1;
    player_arm_in_us(player, run, UINT64_C(1000) * prng_below(&run->prng, span_ms));
}

/* --- Out. --- */

static bool say(struct player *player, struct run *run, const char *text, size_t bytes)
{
    if (!link_has_room(&player->link) || !link_send_text(&player->link, text, bytes)) return false;
    run->stats.rough_sent++;
    return true;
}

static bool ask(struct player *player, struct run *run, const char *type, const char *fields)
{
    char text[TEXT_BYTES];
    int size = snprintf(text, sizeof(text), "{\"type\":\"%s\",\"id\":%u,%s}", type,
                        ++player->request_id, fields);
    QR_ASSERT(size > 0 && (size_t)size < sizeof(text));
    return say(player, run, text, (size_t)size);
}

/* While it waits for a place, plays and has played: what does not fit is refused. */
static void ask_slowly(struct player *player, struct run *run)
{
    static const char longest_at[] =
        "\"at\":\"................................................................\"";
    bool has_room = ask(player, run, "join", "\"mode\":\"house\"");
    for (unsigned count = 0; count < PINGS && has_room; count++)
        has_room = ask(player, run, "ping", longest_at);
}

/* No JSON, JSON of a type that nobody knows, or what looks like anything but text. */
static void write_garbage(uint32_t kind, char garbage[MESSAGE_BYTES])
{
    static const char unknown[] = "{\"type\":\"nonsense\",\"id\":7,\"more\":\"";
    memset(garbage, kind == 0 ? '{' : 'x', MESSAGE_BYTES);
    if (kind == 1) {
        memcpy(garbage, unknown, sizeof(unknown) - 1);
        memcpy(garbage + MESSAGE_BYTES - 2, "\"}", 2);
    }
    for (unsigned at = 0; kind == 2 && at < MESSAGE_BYTES; at++) garbage[at] = (char)(at % ' ');
}

static void throw_garbage(struct player *player, struct run *run)
{
    char garbage[MESSAGE_BYTES];
    write_garbage(player->index % KINDS_OF_GARBAGE, garbage);
    for (unsigned count = 0; count < MESSAGES_MAX; count++)
        if (!say(player, run, garbage, sizeof(garbage))) return;
}

/* --- In. --- */

static void on_opened(struct player *player, struct run *run)
{
    run->stats.rough_opened++;
    player->state = PLAYER_PLAYING;
    player->request_id = 0;
    wheel_disarm(&run->wheel, &player->timer);
    (void)ask(player, run, "hello", "\"name\":\"Rough\""); /* The first: there is room. */
    if (player->kind == PLAYER_GARBAGE) {
        link_want_room(&player->link);
        return;
    }
    link_slow_down(&player->link, run->options->slow_bytes);
    player_arm_in_us(player, run, SECOND_US);
}

static void on_text(struct run *run, const struct link_event *event)
{
    run->stats.rough_received++;
    cJSON *object = json_read_object(event->text, event->text_bytes);
    const char *type = json_string(json_find(object, "type"));
    const char *code = json_string(json_find(object, "code"));
    if (type != NULL && strcmp(type, "error") == 0)
        codes_count(run->stats.rough_errors, code != NULL ? code : "none");
    cJSON_Delete(object);
}

static void on_ended(struct player *player, struct run *run, const struct link_event *event)
{
    char code[CHECK_CODE_BYTES];
    bool was_open = player->state == PLAYER_PLAYING;
    (void)snprintf(code, sizeof(code), "%u", (unsigned)event->close_code); /* It fits. */
    come_back(player, run, was_open ? code : "not_upgraded");
}

static void read_on(struct player *player, struct run *run, uint32_t epoll_events)
{
    struct link_event event;
    link_receive(&player->link, epoll_events, &run->inbox);
    do {
        link_next(&player->link, &run->inbox, &event);
        if (event.kind == LINK_EVENT_OPENED) on_opened(player, run);
        if (event.kind == LINK_EVENT_TEXT) on_text(run, &event);
        if (event.kind == LINK_EVENT_ENDED) on_ended(player, run, &event);
    } while (event.kind != LINK_EVENT_NONE && event.kind != LINK_EVENT_ENDED);
}

void rough_on_ready(struct player *player, struct run *run, uint32_t epoll_events)
{
    /* The server has let go: what it said last is read at once, also by the slow. */
    bool is_over = (epoll_events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (is_over && player->state == PLAYER_PLAYING) link_slow_down(&player->link, 0);
    if (player->link.state != LINK_CLOSED) read_on(player, run, epoll_events);
    if (player->kind == PLAYER_GARBAGE && player->state == PLAYER_PLAYING)
        throw_garbage(player, run);
}

void rough_on_timer(struct player *player, struct run *run)
{
    switch ((enum player_state)player->state) {
    case PLAYER_CONNECTING: come_back(player, run, "not_upgraded"); break;
    case PLAYER_AWAY: connect_rough(player, run, player->due_us); break;
    case PLAYER_PLAYING:
        player_arm_in_us(player, run, SECOND_US);
        read_on(player, run, EPOLLIN);
        if (player->state == PLAYER_PLAYING) ask_slowly(player, run);
        break;
    case PLAYER_OFF:
    case PLAYER_IDLE:
    case PLAYER_QUEUED:
    case PLAYER_LEAVING:
    case PLAYER_CLOSING:
    case PLAYER_DONE: break;
    }
}

void rough_start(struct player *player, struct run *run, uint64_t due_us)
{
    connect_rough(player, run, due_us);
}

void rough_look(struct player *player, struct run *run)
{
    if (!run->is_over || player->state == PLAYER_DONE) return;
    wheel_disarm(&run->wheel, &player->timer);
    link_drop(&player->link);
    player->state = PLAYER_DONE;
}
