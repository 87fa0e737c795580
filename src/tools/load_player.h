/* One player's behaviour: connects, says hello, joins, thinks, answers, and joins again; sometimes
 * answers twice, sends an emote or a ping.
 *
 * Driven by three calls: something came on its link, its one timer expired, the run looks after it.
 * Belongs to a run.
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
    PLAYER_IDLE,       /* Until it joins. */
    PLAYER_QUEUED,     /* `join` was sent. */
    PLAYER_PLAYING,
    PLAYER_LEAVING, /* `leave` was sent, because the run is over. */
    PLAYER_CLOSING,
    PLAYER_DONE,
};

struct player {
    uint8_t state; /* enum player_state. */
    uint32_t index;
    uint32_t request_id;
    uint32_t matches; /* Finished. */
    uint32_t round;   /* What it thinks about. */
    uint8_t choice;
    uint64_t began_us;  /* When it began to connect. */
    uint64_t joined_us; /* When it last asked to join. */
    struct wheel_timer timer;
    struct link link;
    struct check check;
};

void player_start(struct player *player, struct run *run, uint32_t index);
void player_on_ready(struct player *player, struct run *run, uint32_t epoll_events);
void player_on_timer(struct player *player, struct run *run);

/* Called a few times a second: notices requests without a reply, and moves on when the run is over.
 */
void player_look(struct player *player, struct run *run);

/* The grace is over: whatever it is at, it is done. */
void player_give_up(struct player *player, struct run *run);
