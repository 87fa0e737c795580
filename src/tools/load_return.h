/* How a player loses its connection and comes back: when, in which way, with which proof, and what
 * it does then.
 *
 * Parts of struct player; belongs to a run.
 */
#pragma once

#include <stdint.h>

#include "load_player.h"

/* Draws the time of the next loss, where the run wants any. */
void return_arm_loss(struct player *player, struct run *run);

/* The time of a loss has come. */
void return_on_loss(struct player *player, struct run *run);

/* Loses the connection with the next turn of the run's loop, after what its link still has to be
 * read. */
void return_lose_now(struct player *player, struct run *run);

/* An answer was sent by a timer: maybe the connection is lost before its reply. */
void return_after_answer(struct player *player, struct run *run);

/* The connection ended without the player's will. True: the server may have died, and the player tries to come back to
 * it. */
bool return_outlives(struct player *player, struct run *run, uint16_t close_code);

/* By the best proof there is: the session, else the token, else the name. */
void return_say_hello(struct player *player, struct run *run);

void return_on_welcome(struct player *player, struct run *run, const struct news *news);

/* A join whose reply was lost with its connection has come: it need not be said again. */
void return_to_queue(struct player *player, struct run *run);

/* The session is not known any more: says hello by what is left. */
void return_on_expired(struct player *player, struct run *run, const struct news *news);

/* The server knows less than was seen: asks for all of it. */
void return_on_taken_back(struct player *player, struct run *run);

/* What was missed has come. */
void return_on_clock(struct player *player, struct run *run, const struct news *news);

/* The link that a newer one has taken over. */
void return_on_old_ready(struct player *player, struct run *run, uint32_t epoll_events);

/* Called a few times a second: notices an old link that is not closed, and a `queued` that does not
 * come. */
void return_look(struct player *player, struct run *run);
