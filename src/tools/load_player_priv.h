/* What the parts of a player share: load_player.c plays, load_say.c has what it sends, load_return.c
 * loses connections and comes back. */
#pragma once

#include "load_player.h"

enum { PLAYER_CONNECT_TIMEOUT_US = 10000000 };

bool player_percent(struct run *run, unsigned share);
void player_arm_in_us(struct player *player, struct run *run, uint64_t in_us);

/* Sends {"type":TYPE,"id":N and the fields}, where more may wait for its reply. */
void player_ask(struct player *player, struct run *run, struct check_request *request,
                const char *fields);

/* Something failed that the player does not recover from. */
void player_lose(struct player *player, struct run *run, const char *why);

/* Connects, and says hello once connected. `due_us`: when it was to. */
void player_connect(struct player *player, struct run *run, uint64_t due_us);

/* Thinks about the round, and answers then. */
void player_think(struct player *player, struct run *run, uint32_t round, uint32_t choice_count);
void player_send_join(struct player *player, struct run *run, uint64_t due_us);
void player_send_answer(struct player *player, struct run *run, struct check_request request);
void player_send_answer_again(struct player *player, struct run *run, uint32_t round,
                              uint8_t choice);
void player_send_ping(struct player *player, struct run *run, uint64_t due_us);
void player_join_or_close(struct player *player, struct run *run);

/* Some answers are followed by something more. */
void player_follow_up(struct player *player, struct run *run);
