/* One player's behaviour: connects, says hello, joins, thinks, answers, and joins again; sometimes
 * answers twice, sends an emote or a ping; loses its connection and comes back (load_return.h). Or
 * it says hello and stays idle.
 *
 * Driven by four calls: something came on its link, one of its two timers expired, the run looks
 * after it. Belongs to a run.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/wheel.h"
#include "load_check.h"
#include "load_link.h"

struct run;

enum player_state {
    PLAYER_OFF,
    PLAYER_CONNECTING, /* Until `welcome`. */
    PLAYER_AWAY,       /* Without a connection, until it comes back. */
    PLAYER_IDLE,       /* Until it joins. */
    PLAYER_QUEUED,     /* `join` was sent. */
    PLAYER_PLAYING,
    PLAYER_LEAVING, /* `leave` was sent, because the run is over. */
    PLAYER_CLOSING,
    PLAYER_DONE,
};

enum player_kind {
    PLAYER_HONEST,
    PLAYER_SLOW, /* load_rough.h, this and the next. */
    PLAYER_GARBAGE,
};

enum player_timer { PLAYER_TIMER_ACT, PLAYER_TIMER_LOSS };

/* In what epoll gives back: it is the link that a newer one has taken over. */
#define PLAYER_OLD_LINK UINT32_C(0x80000000)

struct player {
    uint8_t state; /* enum player_state. */
    uint8_t kind;  /* enum player_kind. */
    bool is_idle;  /* It never joins. */
    uint32_t index;
    uint32_t request_id;
    uint32_t matches; /* Finished. */
    uint32_t round;   /* What it thinks about. */
    uint8_t choice;
    uint8_t tries;            /* To connect, while the server is gone. */
    bool drops_after_answer;  /* With the next answer, before its reply can come. */
    uint32_t doubt_round;     /* Whose answer was lost with its reply; 0: none. */
    uint64_t connect_due_us;  /* When it was to begin to connect. */
    uint64_t join_due_us;     /* When it was to ask to join. */
    uint64_t joined_us;       /* When it last did. */
    uint64_t due_us;          /* When it is to act: what `timer` was armed for. */
    uint64_t whole_since_us;  /* Its last `welcome` or `clock`: since then it missed nothing. */
    struct wheel_timer timer; /* What it does next. */
    struct wheel_timer loss;  /* When it loses its connection. */
    struct link link;
    struct link old; /* Taken over: the server is to close it with 4509. */
    struct check check;
};

/* `due_us`: when it was to be. */
void player_start(struct player *player, struct run *run, uint32_t index, uint64_t due_us);
void player_on_ready(struct player *player, struct run *run, uint32_t epoll_events);
void player_on_timer(struct player *player, struct run *run, enum player_timer timer);

/* One of those who idle sends the ping that was to be sent at `due_us`, unless it is not there. */
void player_ping(struct player *player, struct run *run, uint64_t due_us);

/* Called a few times a second: notices requests without a reply, and moves on when the run is over.
 */
void player_look(struct player *player, struct run *run);

/* It is at its end, and the server owes it nothing any more. */
bool player_is_done(const struct player *player);

/* The grace is over: whatever it is at, it is done. */
void player_give_up(struct player *player, struct run *run);
