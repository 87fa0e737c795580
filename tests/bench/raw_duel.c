/* The least that plays duels: what the daemon's answers cost at least. For each message of a client
 * it sends the frames that the daemon sends, as many, as long and in the same order, made with
 * snprintf from constants; of a client's message it looks at a few bytes. It pairs by arrival, draws
 * no question, keeps no player and no result, measures nothing and knows no emotes.
 *
 *     raw_duel PORT [--rounds N] [--start-ms N] [--round-ms N] [--reveal-ms N] [--join]
 *
 * With --join, what is due to one player in one iteration of the loop goes out in one write;
 * otherwise each frame has its own.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "raw_ws.h"

enum {
    PLAYERS = 2,
    NAME_BYTES = 100,
    FRAME_BYTES = 1024,
    OUT_BYTES = 4096,
    DUES_MAX = 1 << 20, /* A power of two. */
    MATCHES_MAX = RAW_FDS_MAX / PLAYERS,
    ROUNDS_MAX = 20,
    CHOICE_RIGHT = 1,
    FREE_ANSWER_MS = 500,
};

/* For each a time that is always the same, so that what is due is due in order. */
enum due_kind { DUE_START, DUE_ROUND, DUE_REVEAL, DUE_KINDS };

struct match {
    bool is_live, is_asking;
    int fds[PLAYERS];
    unsigned number, seq, round;
    unsigned phase; /* What is due in an earlier one is due no more. */
    uint64_t began_ms;
    int choices[PLAYERS]; /* -1: none. */
    unsigned at_ms[PLAYERS], points[PLAYERS], scores[PLAYERS], streaks[PLAYERS];
};

struct player {
    struct match *match;
    unsigned index; /* In the match. */
    char name[NAME_BYTES];
    uint16_t out_bytes; /* With --join. */
    bool is_listed;
};

struct due {
    uint32_t match; /* Index. */
    unsigned phase;
    uint64_t at_ms;
};

struct due_list {
    struct due dues[DUES_MAX];
    uint32_t first, end; /* They run on; modulo DUES_MAX. */
    unsigned time_ms;
};

struct duel {
    unsigned rounds;
    bool joins;
    uint64_t now_ms, wall_ms, apart_ms; /* The wall clock less the monotonic one. */
    unsigned count;                     /* Of matches so far. */
    int waiting;                        /* -1: nobody. */
    struct player players[RAW_FDS_MAX];
    uint8_t out[RAW_FDS_MAX][OUT_BYTES];
    int listed[RAW_FDS_MAX];
    unsigned listed_count;
    struct match matches[MATCHES_MAX];
    uint32_t free[MATCHES_MAX];
    unsigned free_count;
    struct due_list lists[DUE_KINDS];
};

struct frame {
    uint8_t bytes[RAW_HEADER_BYTES_MAX + FRAME_BYTES];
    size_t size;
};

__attribute__((format(printf, 2, 3))) static void frame_format(struct frame *frame,
                                                               const char *format, ...)
{
    va_list values;
    va_start(values, format);
    char text[FRAME_BYTES];
    int size = vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    size_t header = raw_header(frame->bytes, RAW_TEXT, (size_t)size);
    memcpy(frame->bytes + header, text, (size_t)size);
    frame->size = header + (size_t)size;
}

/* --- Out. --- */

static void flush(struct duel *duel, int fd)
{
    struct player *player = &duel->players[fd];
    if (player->out_bytes > 0) raw_write(fd, duel->out[fd], player->out_bytes);
    player->out_bytes = 0;
}

static void send_bytes(struct duel *duel, int fd, const void *bytes, size_t size)
{
    if (fd < 0) return;
    if (!duel->joins) {
        raw_write(fd, bytes, size);
        return;
    }
    struct player *player = &duel->players[fd];
    if (player->out_bytes + size > OUT_BYTES) flush(duel, fd);
    memcpy(duel->out[fd] + player->out_bytes, bytes, size);
    player->out_bytes += (uint16_t)size;
    if (player->is_listed) return;
    player->is_listed = true;
    duel->listed[duel->listed_count++] = fd;
}

static void send_frame(struct duel *duel, int fd, const struct frame *frame)
{
    send_bytes(duel, fd, frame->bytes, frame->size);
}

static void send_both(struct duel *duel, const struct match *match, const struct frame *frame)
{
    for (unsigned i = 0; i < PLAYERS; i++) send_frame(duel, match->fds[i], frame);
}

static void send_ping(struct duel *duel, int fd)
{
    uint8_t ping[2];
    send_bytes(duel, fd, ping, raw_header(ping, RAW_PING, 0));
}

/* --- A match. --- */

#define MATCH_ID  "01a20d63-f787-7c81-9bca-%012x"
#define PLAYER_ID "01a20d63-f782-7b4d-9626-%012x"

static void arm(struct duel *duel, struct match *match, enum due_kind kind)
{
    struct due_list *list = &duel->lists[kind];
    uint32_t index = (uint32_t)(match - duel->matches);
    list->dues[list->end++ % DUES_MAX] =
        (struct due){index, ++match->phase, duel->now_ms + list->time_ms};
}

static void begin_match(struct duel *duel, int first, int second)
{
    struct match *match = &duel->matches[duel->free[--duel->free_count]];
    *match =
        (struct match){.is_live = true, .number = ++duel->count, .seq = 1, .phase = match->phase};
    const struct player *players[PLAYERS];
    for (unsigned i = 0; i < PLAYERS; i++) {
        int fd = match->fds[i] = i == 0 ? first : second;
        duel->players[fd].match = match;
        duel->players[fd].index = i;
        players[i] = &duel->players[fd];
    }
    struct frame frame;
    frame_format(&frame,
                 "{\"type\":\"match\",\"match\":\"" MATCH_ID "\",\"mode\":\"duel\",\"rated\":true,"
                 "\"seq\":1,\"players\":[{\"player\":\"" PLAYER_ID "\",\"name\":\"%s\","
                 "\"rating\":1500},{\"player\":\"" PLAYER_ID "\",\"name\":\"%s\",\"rating\":1500}],"
                 "\"rounds\":%u,\"starts_at_ms\":%" PRIu64 "}",
                 match->number, (unsigned)first, players[0]->name, (unsigned)second,
                 players[1]->name, duel->rounds, duel->wall_ms + duel->lists[DUE_START].time_ms);
    send_both(duel, match, &frame);
    send_ping(duel, first);
    send_ping(duel, second);
    arm(duel, match, DUE_START);
}

static void end_match(struct duel *duel, struct match *match, const char *reason,
                      const char *winner)
{
    struct frame frame;
    frame_format(&frame,
                 "{\"type\":\"end\",\"match\":\"" MATCH_ID "\",\"seq\":%u,\"reason\":\"%s\","
                 "\"winner\":%s,\"scores\":[%u,%u],\"ratings\":[{\"before\":1500,\"after\":1500},"
                 "{\"before\":1500,\"after\":1500}]}",
                 match->number, ++match->seq, reason, winner, match->scores[0], match->scores[1]);
    send_both(duel, match, &frame);
    for (unsigned i = 0; i < PLAYERS; i++)
        if (match->fds[i] >= 0) duel->players[match->fds[i]].match = NULL;
    match->is_live = false;
    match->phase++;
    duel->free[duel->free_count++] = (uint32_t)(match - duel->matches);
}

static void begin_round(struct duel *duel, struct match *match)
{
    unsigned time_ms = duel->lists[DUE_ROUND].time_ms;
    match->round++;
    match->is_asking = true;
    match->began_ms = duel->now_ms;
    for (unsigned i = 0; i < PLAYERS; i++) match->choices[i] = -1;
    struct frame frame;
    frame_format(&frame,
                 "{\"type\":\"round\",\"match\":\"" MATCH_ID "\",\"seq\":%u,\"round\":%u,"
                 "\"rounds\":%u,\"question_id\":\"df05510b-0005-6c8a-0c71-c6484785086c\","
                 "\"category\":\"history\",\"difficulty\":\"medium\","
                 "\"question\":\"Which people built Machu Picchu, high up in the Andes?\","
                 "\"choices\":[\"Maya\",\"Inca\",\"Olmec\",\"Aztec\"],\"time_ms\":%u,"
                 "\"deadline_ms\":%" PRIu64 ",\"weight\":%u}",
                 match->number, ++match->seq, match->round, duel->rounds, time_ms,
                 duel->wall_ms + time_ms, match->round == duel->rounds ? 2 : 1);
    send_both(duel, match, &frame);
    arm(duel, match, DUE_ROUND);
}

static void count_points(const struct duel *duel, struct match *match, unsigned i)
{
    unsigned time_ms = duel->lists[DUE_ROUND].time_ms;
    unsigned at_ms = match->at_ms[i] > FREE_ANSWER_MS ? match->at_ms[i] : FREE_ANSWER_MS;
    unsigned weight = match->round == duel->rounds ? 2 : 1;
    bool is_right = match->choices[i] == CHOICE_RIGHT;
    match->points[i] =
        is_right ? weight * (500 + 500 * (time_ms - at_ms) / (time_ms - FREE_ANSWER_MS)) : 0;
    match->scores[i] += match->points[i];
    match->streaks[i] = is_right ? match->streaks[i] + 1 : 0;
}

static void reveal(struct duel *duel, struct match *match)
{
    struct frame frame;
    char next[24] = "null", results[PLAYERS][128];
    bool is_last = match->round == duel->rounds;
    match->is_asking = false;
    uint64_t next_ms = duel->wall_ms + duel->lists[DUE_REVEAL].time_ms;
    if (!is_last) (void)snprintf(next, sizeof(next), "%" PRIu64, next_ms); /* It fits. */
    for (unsigned i = 0; i < PLAYERS; i++) {
        char choice[8] = "null", at[16] = "null";
        count_points(duel, match, i);
        if (match->choices[i] >= 0) {
            (void)snprintf(choice, sizeof(choice), "%d", match->choices[i] & 0xff); /* It fits. */
            (void)snprintf(at, sizeof(at), "%u", match->at_ms[i]);                  /* It fits. */
        }
        (void)snprintf(results[i], sizeof(results[i]),
                       "{\"choice\":%s,\"at_ms\":%s,\"points\":%u,\"score\":%u,\"streak\":%u}",
                       choice, at, match->points[i], match->scores[i],
                       match->streaks[i]); /* It fits. */
    }
    frame_format(&frame,
                 "{\"type\":\"reveal\",\"match\":\"" MATCH_ID "\",\"seq\":%u,\"round\":%u,"
                 "\"correct\":%d,\"next_at_ms\":%s,\"results\":[%s,%s]}",
                 match->number, ++match->seq, match->round, CHOICE_RIGHT, next, results[0],
                 results[1]);
    send_both(duel, match, &frame);
    if (!is_last) {
        arm(duel, match, DUE_REVEAL);
        return;
    }
    const unsigned *scores = match->scores;
    end_match(duel, match, "finished",
              scores[0] == scores[1]  ? "null"
              : scores[0] > scores[1] ? "0"
                                      : "1");
}

/* --- In. --- */

/* The digits behind `name`, as text and as a number; 0 where there are none. */
static unsigned find_number(const char *text, size_t size, const char *name,
                            const char **ret_digits, int *ret_size)
{
    const char *at = memmem(text, size, name, strlen(name));
    unsigned value = 0;
    *ret_size = 0;
    if (at == NULL) return 0;
    *ret_digits = at += strlen(name);
    for (; at < text + size && *at >= '0' && *at <= '9'; at++)
        value = 10 * value + (unsigned)(*at - '0');
    *ret_size = (int)(at - *ret_digits);
    return value;
}

static void on_hello(struct duel *duel, int fd, unsigned id, const char *text, size_t size)
{
    struct player *player = &duel->players[fd];
    const char *name = memmem(text, size, "\"name\":\"", 8);
    const char *end = name != NULL ? memchr(name + 8, '"', size - (size_t)(name + 8 - text)) : NULL;
    size_t bytes = end != NULL ? (size_t)(end - name - 8) : 0;
    if (bytes >= NAME_BYTES) bytes = NAME_BYTES - 1;
    if (bytes > 0) memcpy(player->name, name + 8, bytes);
    player->name[bytes] = '\0';
    struct frame frame;
    frame_format(
        &frame,
        "{\"type\":\"welcome\",\"id\":%u,\"player\":\"" PLAYER_ID "\",\"name\":\"%s\","
        "\"rating\":1500,\"session\":\"01a20d63f7827b4d9626%012xb36966a4291d5f84b4f1561a16e71834\","
        "\"token\":\"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE3OTU1MjA5ODQsImlzcyI6InF1aXpyd"
        "XNoIiwibmFtZSI6IkxvYWQgMSIsInN1YiI6IjAxYTIwZDYzLWY3ODItN2I0ZC05NjI2LWFkMjBhMTBiNGFiMyJ9."
        "sxFYT0ato52AUZMCcIhF7Ps74FKW-ahrMWb1%012x\",\"now_ms\":%" PRIu64 ",\"ping_ms\":25000,"
        "\"modes\":[\"duel\",\"house\"],\"categories\":[\"arts\",\"geography\",\"history\","
        "\"mathematics\",\"nature\",\"science\",\"sports\",\"technology\"],\"emotes\":[\"hi\","
        "\"gg\",\"wow\",\"nice\",\"oops\",\"thinking\",\"hurry\",\"thanks\"]}",
        id, (unsigned)fd, player->name, (unsigned)fd, (unsigned)fd, duel->wall_ms);
    send_frame(duel, fd, &frame);
    send_ping(duel, fd);
}

static void on_join(struct duel *duel, int fd, unsigned id)
{
    struct frame frame;
    frame_format(&frame,
                 "{\"type\":\"queued\",\"id\":%u,\"mode\":\"duel\",\"waiting\":%u,\"waited_ms\":0}",
                 id, duel->waiting >= 0 ? 2 : 1);
    send_frame(duel, fd, &frame);
    if (duel->waiting < 0 || duel->waiting == fd || duel->free_count == 0) {
        duel->waiting = fd;
        return;
    }
    int first = duel->waiting;
    duel->waiting = -1;
    begin_match(duel, first, fd);
}

static void on_refused(struct duel *duel, int fd, unsigned id, const char *code)
{
    struct frame frame;
    frame_format(&frame, "{\"type\":\"error\",\"id\":%u,\"code\":\"%s\",\"message\":\"Not now.\"}",
                 id, code);
    send_frame(duel, fd, &frame);
}

static void on_answer(struct duel *duel, int fd, unsigned id, const char *text, size_t size)
{
    struct match *match = duel->players[fd].match;
    const char *digits;
    int digits_size;
    unsigned round = find_number(text, size, "\"round\":", &digits, &digits_size);
    unsigned choice = find_number(text, size, "\"choice\":", &digits, &digits_size);
    if (match == NULL || round != match->round) {
        on_refused(duel, fd, id, "bad_state");
        return;
    }
    unsigned index = duel->players[fd].index;
    bool is_again = match->choices[index] >= 0;
    if (!is_again && !match->is_asking) {
        on_refused(duel, fd, id, "late_answer");
        return;
    }
    if (!is_again) {
        match->choices[index] = (int)(choice & 3);
        match->at_ms[index] = (unsigned)(duel->now_ms - match->began_ms);
    }
    struct frame frame;
    frame_format(&frame,
                 "{\"type\":\"accepted\",\"id\":%u,\"round\":%u,\"choice\":%d,\"at_ms\":%u,"
                 "\"rtt_ms\":0,\"dup\":%s}",
                 id, round, match->choices[index], match->at_ms[index],
                 is_again ? "true" : "false");
    send_frame(duel, fd, &frame);
    if (is_again) return;
    frame_format(&frame,
                 "{\"type\":\"answered\",\"match\":\"" MATCH_ID "\",\"round\":%u,\"player\":%u}",
                 match->number, round, index);
    send_both(duel, match, &frame);
    if (match->choices[0] >= 0 && match->choices[1] >= 0) reveal(duel, match);
}

static void on_ping(struct duel *duel, int fd, unsigned id, const char *text, size_t size)
{
    const char *at = "0";
    int bytes = 0;
    (void)find_number(text, size, "\"at\":", &at, &bytes); /* Its digits are what is asked for. */
    struct frame frame;
    frame_format(&frame, "{\"type\":\"pong\",\"id\":%u,\"at\":%.*s,\"now_ms\":%" PRIu64 "}", id,
                 bytes > 0 ? bytes : 1, at, duel->wall_ms);
    send_frame(duel, fd, &frame);
}

static void on_text(void *context, int fd, const char *text, size_t size)
{
    static const char prefix[] = "{\"type\":\"";
    struct duel *duel = context;
    const char *digits;
    int digits_size;
    unsigned id = find_number(text, size, "\"id\":", &digits, &digits_size);
    char kind = size > sizeof(prefix) ? text[sizeof(prefix) - 1] : '\0';
    if (kind == 'h') on_hello(duel, fd, id, text, size);
    if (kind == 'j') on_join(duel, fd, id);
    if (kind == 'a') on_answer(duel, fd, id, text, size);
    if (kind == 'p') on_ping(duel, fd, id, text, size);
    if (kind == 'l') on_refused(duel, fd, id, "unknown_type"); /* Who leaves closes. */
}

static void on_closed(void *context, int fd)
{
    struct duel *duel = context;
    struct player *player = &duel->players[fd];
    struct match *match = player->match;
    if (duel->waiting == fd) duel->waiting = -1;
    player->out_bytes = 0;
    player->match = NULL;
    if (match == NULL) return;
    match->fds[player->index] = -1;
    end_match(duel, match, "forfeit", player->index == 0 ? "1" : "0");
}

/* --- Time. --- */

static uint64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now); /* These clocks are always there. */
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void on_due(struct duel *duel, struct match *match, enum due_kind kind)
{
    if (kind == DUE_ROUND)
        reveal(duel, match);
    else
        begin_round(duel, match);
}

/* How long until the next is due; -1: none is. */
static int expire(struct duel *duel)
{
    uint64_t next_ms = UINT64_MAX;
    for (unsigned kind = 0; kind < DUE_KINDS; kind++) {
        struct due_list *list = &duel->lists[kind];
        while (list->first != list->end) {
            const struct due *due = &list->dues[list->first % DUES_MAX];
            struct match *match = &duel->matches[due->match];
            bool is_old = match->phase != due->phase;
            if (!is_old && due->at_ms > duel->now_ms) {
                if (due->at_ms < next_ms) next_ms = due->at_ms;
                break;
            }
            list->first++;
            if (!is_old) on_due(duel, match, kind);
        }
    }
    return next_ms == UINT64_MAX ? -1 : (int)(next_ms - duel->now_ms);
}

static void on_wake(void *context)
{
    struct duel *duel = context;
    duel->now_ms = clock_ms(CLOCK_MONOTONIC);
    duel->wall_ms = duel->now_ms + duel->apart_ms;
}

static int on_turn(void *context)
{
    struct duel *duel = context;
    int wait_ms = expire(duel);
    for (unsigned i = 0; i < duel->listed_count; i++) {
        duel->players[duel->listed[i]].is_listed = false;
        flush(duel, duel->listed[i]);
    }
    duel->listed_count = 0;
    return wait_ms;
}

static void read_options(struct duel *duel, int argc, char *argv[])
{
    for (int i = 2; i < argc; i++) {
        unsigned *number = strcmp(argv[i], "--rounds") == 0      ? &duel->rounds
                           : strcmp(argv[i], "--start-ms") == 0  ? &duel->lists[DUE_START].time_ms
                           : strcmp(argv[i], "--round-ms") == 0  ? &duel->lists[DUE_ROUND].time_ms
                           : strcmp(argv[i], "--reveal-ms") == 0 ? &duel->lists[DUE_REVEAL].time_ms
                                                                 : NULL;
        duel->joins = duel->joins || strcmp(argv[i], "--join") == 0;
        if (number != NULL && i + 1 < argc)
            *number = raw_number(argv[++i], 600000);
        else if (strcmp(argv[i], "--join") != 0)
            (void)raw_number(argv[i], 0); /* Says so, and ends. */
    }
}

int main(int argc, char *argv[])
{
    static struct duel duel;
    if (argc < 2) {
        fprintf(stderr, "Usage: raw_duel PORT [--rounds N] [--start-ms N] [--round-ms N] "
                        "[--reveal-ms N] [--join]\n");
        return 2;
    }
    duel.rounds = 7;
    duel.lists[DUE_START].time_ms = 3000;
    duel.lists[DUE_ROUND].time_ms = 10000;
    duel.lists[DUE_REVEAL].time_ms = 2000;
    duel.apart_ms = clock_ms(CLOCK_REALTIME) - clock_ms(CLOCK_MONOTONIC);
    duel.waiting = -1;
    for (unsigned i = 0; i < MATCHES_MAX; i++) duel.free[duel.free_count++] = i;
    read_options(&duel, argc, argv);
    static const struct raw_calls calls = {
        .on_wake = on_wake, .on_text = on_text, .on_closed = on_closed, .on_turn = on_turn};
    return raw_serve((uint16_t)raw_number(argv[1], UINT16_MAX), &calls, &duel);
}
